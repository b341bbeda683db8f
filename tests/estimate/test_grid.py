import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqfeature import ConfigError
from liqfeature.estimate.grid import QUANTUM, PriceGrid


@given(st.floats(1e-6, 1e7), st.sampled_from([0.0001, 0.0005, 0.01]))
def test_a_price_lies_between_the_edges_of_its_bin(price: float, width: float) -> None:
    place = PriceGrid(width=width).in_bins(np.array([math.log(price)]))[0]
    lower, upper = (math.exp(edge * width) for edge in (math.floor(place), math.floor(place) + 1))
    assert lower * (1 - 1e-10) <= price <= upper * (1 + 1e-10)


@given(st.floats(-14, 16), st.integers(-40_000, 40_000))
def test_counting_from_another_origin_is_exact(log_price: float, origin: int) -> None:
    place = PriceGrid().in_bins(np.array([log_price]))
    assert (place / QUANTUM) % 1 == 0
    assert abs(place[0] - log_price / 0.0005) <= QUANTUM / 2
    assert (place - origin) + origin == place


def test_shape_and_nan_stay() -> None:
    place = PriceGrid().in_bins(np.array([[0.0, np.nan, 0.0005]]))
    np.testing.assert_array_equal(place, [[0.0, np.nan, 1.0]])


@pytest.mark.parametrize("band", [0.005, 0.05, 0.5])
def test_the_window_reaches_just_to_the_band(band: float) -> None:
    grid = PriceGrid(width=0.002)
    n = grid.n_window(band)
    assert math.exp(-n * grid.width) <= 1 - band < math.exp(-(n - 1) * grid.width)


def test_smoothing_weights_form_a_triangle() -> None:
    np.testing.assert_allclose(PriceGrid(smoothing=2).taps(), np.array([1, 2, 3, 2, 1]) / 9, rtol=1e-15)
    np.testing.assert_array_equal(PriceGrid(smoothing=0).taps(), [1.0])


@pytest.mark.parametrize("width", [0.00009, 0.011, math.nan])
def test_a_width_out_of_range_is_refused(width: float) -> None:
    with pytest.raises(ConfigError, match=rf"^width must be between 0\.0001 and 0\.01, received {width}$"):
        PriceGrid(width=width)


@pytest.mark.parametrize("smoothing", [-1, 21])
def test_a_smoothing_out_of_range_is_refused(smoothing: int) -> None:
    with pytest.raises(ConfigError, match=rf"^smoothing must be between 0 and 20, received {smoothing}$"):
        PriceGrid(smoothing=smoothing)
