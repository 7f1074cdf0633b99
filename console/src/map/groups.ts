import type { Place } from "./places";

/** Places that are drawn as one, because they would lie upon each other. */
export interface Group {
  x: number;
  y: number;
  places: Place[];
  /** state of the cameras: how many */
  states: Map<string, number>;
  /** type of open events: how many */
  events: Map<string, number>;
  cases: number;
  late: number;
}

const CELL = 90;
const NEAR = 14;
const NEAR_FROM = 15;

/** Groups at a whole zoom level: cells of the world, each with the middle of what lies in it. From level 15 on only what
 * really lies upon each other is one group. */
export function groupsAt(places: readonly Place[], level: number): Group[] {
  const side = (256 * 2 ** level) / (level >= NEAR_FROM ? NEAR : CELL);
  const cells = new Map<number, Group>();
  for (const place of places) {
    // Fewer than 2^25 cells a side at the nearest level: a pair of them fits a double exactly.
    const key = Math.floor(place.x * side) * 2 ** 26 + Math.floor(place.y * side);
    let group = cells.get(key);
    if (group === undefined) {
      group = { x: 0, y: 0, places: [], states: new Map(), events: new Map(), cases: 0, late: 0 };
      cells.set(key, group);
    }
    add(group, place);
  }
  for (const group of cells.values()) {
    group.x /= group.places.length;
    group.y /= group.places.length;
  }
  return [...cells.values()];
}

function add(group: Group, place: Place): void {
  group.x += place.x;
  group.y += place.y;
  group.places.push(place);
  if (place.state !== null) group.states.set(place.state, (group.states.get(place.state) ?? 0) + 1);
  for (const { type, count } of place.events) group.events.set(type, (group.events.get(type) ?? 0) + count);
  group.cases += place.cases.length;
  group.late += place.cases.filter((one) => one.late).length;
}

/** Groups of the same places at every level, each made once. */
export class Atlas {
  private readonly levels = new Map<number, Group[]>();

  constructor(readonly places: readonly Place[]) {}

  at(zoom: number): Group[] {
    const level = Math.floor(zoom);
    let found = this.levels.get(level);
    if (found === undefined) {
      found = groupsAt(this.places, level);
      // What goes on is drawn last, upon everything else.
      found.sort((a, b) => weight(a) - weight(b));
      this.levels.set(level, found);
    }
    return found;
  }
}

function weight(group: Group): number {
  return group.events.size + group.cases;
}
