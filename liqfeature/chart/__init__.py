"""Pictures of the map: an interactive figure, a page that works offline, and a still of it."""
