"""Load sharing (ch. 6): what each seller should export, as pure targets.

A *strategy* divides what the houses take among the sellers; `plan` lets one do so, keeps the cap, and
leaves standing what need not move; `divide` sees to those who cannot be counted on. A new strategy is one
module here and a line in `STRATEGIES`.
"""

from microgrid.directives import StrategyName
from microgrid.dispatch.cap import keep_cap
from microgrid.dispatch.counting import Crew, Task, divide
from microgrid.dispatch.day_time import DayTime, share_load
from microgrid.dispatch.equal_loading import EqualLoading
from microgrid.dispatch.merit_order import MeritOrder
from microgrid.dispatch.plan import Plan, plan
from microgrid.dispatch.situation import Fleet, Seller, Situation, Strategy

STRATEGIES: dict[StrategyName, Strategy] = {
    StrategyName.DAY_TIME: DayTime(),
    StrategyName.MERIT_ORDER: MeritOrder(),
    StrategyName.OFF: EqualLoading(),
}

__all__ = [
    "STRATEGIES",
    "Crew",
    "DayTime",
    "EqualLoading",
    "Fleet",
    "MeritOrder",
    "Plan",
    "Seller",
    "Situation",
    "Strategy",
    "Task",
    "divide",
    "keep_cap",
    "plan",
    "share_load",
]
