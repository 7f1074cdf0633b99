"""The kinds of scenario: what each shows, and whether something should be reported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of scenario.

    Attributes:
        name: as in `KINDS`.
        about: the event type it is about; "" for an ordinary street.
        positive: an event of that type should be reported.
        description: one line.
    """

    name: str
    about: str
    positive: bool
    description: str


_PARKING, _WATER, _CROWD, _LITTER, _HEALTH = "illegal_parking", "waterlogging", "crowding", "litter", "camera_health"
_WRONG_WAY = "wrong_way"  # of the example extension: in none of the mixtures for the types that ship
KINDS: dict[str, Kind] = {
    name: Kind(name, about, positive, description)
    for name, about, positive, description in (
        ("parking_kerb", _PARKING, True, "a vehicle stops at the kerb and stays"),
        ("parking_occluded", _PARKING, True, "a parked car is hidden for a while by a bus that stands before it"),
        ("parking_row", _PARKING, True, "several vehicles park one after the other while traffic flows past"),
        ("parking_night", _PARKING, True, "a vehicle parks at night, headlights pass"),
        ("parking_after_jam", _PARKING, True, "a car stays at the kerb when the jam beside it has cleared"),
        ("parking_queue", _PARKING, False, "a queue stands at red lights and drives off"),
        ("parking_jam", _PARKING, False, "a jam stands in all lanes and clears"),
        ("parking_brief", _PARKING, False, "a vehicle stops for less than T"),
        ("parking_legal", _PARKING, False, "a vehicle parks beside the zone"),
        ("parking_loading", _PARKING, False, "a van is loaded by people for less than T"),
        ("water_grow", _WATER, True, "a puddle grows over the road"),
        ("water_rain", _WATER, True, "rain fills a hollow in the road"),
        ("water_night", _WATER, True, "a puddle grows at night"),
        ("water_traffic", _WATER, True, "vehicles drive through a growing puddle"),
        ("water_wet", _WATER, False, "rain on a glossy road without standing water"),
        ("water_shadow", _WATER, False, "shadows of clouds, trees and vehicles on a dry road"),
        ("water_headlights", _WATER, False, "headlights on a wet road at night"),
        ("water_small", _WATER, False, "a small puddle that stays small"),
        ("water_cleaning", _WATER, False, "a sprinkler wets the road; it dries soon"),
        ("crowd_gather", _CROWD, True, "people come together on a square and stay"),
        ("crowd_queue", _CROWD, True, "a queue of people grows on the pavement"),
        ("crowd_dusk", _CROWD, True, "a crowd gathers at dusk"),
        ("crowd_pass", _CROWD, False, "groups of people pass through"),
        ("crowd_sparse", _CROWD, False, "a few people stand about"),
        ("crowd_poster", _CROWD, False, "a few people among boards with pictures of people"),
        ("crowd_brief", _CROWD, False, "a crowd for less than T"),
        ("litter_bag", _LITTER, True, "somebody leaves a bag and goes"),
        ("litter_pile", _LITTER, True, "somebody leaves a heap of rubbish"),
        ("litter_bin", _LITTER, True, "a bin overflows"),
        ("litter_rain", _LITTER, True, "rubbish is left in the rain"),
        ("litter_attended", _LITTER, False, "a bag on the ground whose owner stays beside it"),
        ("litter_picked", _LITTER, False, "something is dropped and picked up before T"),
        ("litter_leaves", _LITTER, False, "fallen leaves that the wind brings"),
        ("litter_cart", _LITTER, False, "a cart or a bicycle is parked"),
        ("litter_shadow", _LITTER, False, "a small shadow comes and stays"),
        ("health_black", _HEALTH, True, "the picture turns black"),
        ("health_frozen", _HEALTH, True, "the picture stands still"),
        ("health_blurred", _HEALTH, True, "the picture is out of focus"),
        ("health_covered", _HEALTH, True, "something covers the lens"),
        ("health_moved", _HEALTH, True, "the camera is turned away"),
        ("health_overexposed", _HEALTH, True, "the picture is overexposed"),
        ("wrong_way_rider", _WRONG_WAY, True, "somebody cycles against the lane, among others who go with it"),
        ("wrong_way_with", _WRONG_WAY, False, "cyclists and vehicles go with the lane, one cyclist crosses it"),
        ("ordinary", "", False, "an ordinary street, all algorithms, nothing to report; day and night"),
    )
}
