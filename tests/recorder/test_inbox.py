"""What waits for the disk: in order, up to a bound, and counted once it is there."""

from liqfeature.data.prints import Print
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.normalise import Received


def sold(time, side="long", exchange="binance"):
    return Print(1_767_225_600_000 + time, exchange, "BTC/USDT:USDT", side, 100.0, None, 2.0, 200.0)


def test_what_is_written_is_counted_by_exchange_and_side_and_repetitions_apart():
    inbox = Inbox()
    inbox.take("binance", Received((sold(0), sold(1, "short"), sold(0)), ("bad",), 3))
    inbox.take("okx", Received((sold(5, exchange="okx"),)))
    batch = inbox.hand_out()
    assert inbox.unwritten == 4
    inbox.written(batch, [batch[0], batch[1], batch[3]])
    assert inbox.unwritten == 0
    tally = inbox.tally("binance")
    assert (tally.prints, tally.repeated, tally.malformed, tally.ignored) == (2, 1, 1, 3)
    assert (tally.long, tally.short, tally.last) == (200.0, 200.0, sold(1).time)
    assert (inbox.tally("okx").prints, inbox.tally("okx").repeated) == (1, 0)


def test_rows_wait_in_order_while_nothing_can_be_written_up_to_a_bound():
    inbox = Inbox(most=3)
    rows = [sold(i) for i in range(5)]
    inbox.take("binance", Received(tuple(rows[:2])))
    batch = inbox.hand_out()
    inbox.take("binance", Received(tuple(rows[2:])))
    assert inbox.unwritten == 3
    assert inbox.tally("binance").lost == 2
    inbox.put_back(batch)
    assert inbox.hand_out() == rows[:3]
    inbox.written(rows[:3], rows[:3])
    inbox.take("binance", Received(tuple(rows[3:])))  # sent once more: it was never accepted
    assert inbox.hand_out() == rows[3:]
