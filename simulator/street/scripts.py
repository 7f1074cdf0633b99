"""Which script writes which kind of scenario."""

from __future__ import annotations

from collections.abc import Callable

from simulator.street import crowds, flooding, ordinary, parking, riding, rubbish
from simulator.street.plot import Plot
from simulator.street.world import World

SCRIPTS: dict[str, Callable[[Plot], World]] = {
    "parking_kerb": parking.kerb,
    "parking_occluded": parking.occluded,
    "parking_row": parking.row,
    "parking_night": parking.night,
    "parking_after_jam": parking.after_jam,
    "parking_queue": parking.queue,
    "parking_jam": parking.standstill,
    "parking_brief": parking.brief,
    "parking_legal": parking.legal,
    "parking_loading": parking.loading,
    "water_grow": flooding.grow,
    "water_rain": flooding.rainy,
    "water_night": flooding.dark,
    "water_traffic": flooding.driven,
    "water_wet": flooding.wet,
    "water_shadow": flooding.shadows,
    "water_headlights": flooding.headlights,
    "water_small": flooding.small,
    "water_cleaning": flooding.cleaning,
    "crowd_gather": crowds.gather,
    "crowd_queue": crowds.queue,
    "crowd_dusk": crowds.dusk,
    "crowd_pass": crowds.passing,
    "crowd_sparse": crowds.sparse,
    "crowd_poster": crowds.poster,
    "crowd_brief": crowds.brief,
    "litter_bag": rubbish.bag,
    "litter_pile": rubbish.pile,
    "litter_bin": rubbish.overflow,
    "litter_rain": rubbish.rain,
    "litter_attended": rubbish.attended,
    "litter_picked": rubbish.picked,
    "litter_leaves": rubbish.leaves,
    "litter_cart": rubbish.cart,
    "litter_shadow": rubbish.shadow,
    "health_black": ordinary.health("black"),
    "health_frozen": ordinary.health("frozen"),
    "health_blurred": ordinary.health("blurred"),
    "health_covered": ordinary.health("covered"),
    "health_moved": ordinary.health("moved"),
    "health_overexposed": ordinary.health("bright"),
    "wrong_way_rider": riding.against,
    "wrong_way_with": riding.along,
    "ordinary": ordinary.ordinary,
}
