import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Draft } from "./draft";

interface Shelf extends DBSchema {
  drafts: { key: string; value: Draft; indexes: { who: string } };
}

let opened: Promise<IDBPDatabase<Shelf>> | null = null;

function shelf(): Promise<IDBPDatabase<Shelf>> {
  opened ??= openDB<Shelf>("cityvision-field", 1, {
    upgrade: (db) => db.createObjectStore("drafts", { keyPath: "id" }).createIndex("who", "who"),
    terminated: () => {
      opened = null;
    },
  });
  return opened;
}

/** All that an account has written in this browser and not brought to the server. */
export async function draftsOf(who: string): Promise<Draft[]> {
  return (await shelf()).getAllFromIndex("drafts", "who", who);
}

/** It is there also after the browser was closed. */
export async function keepDraft(draft: Draft): Promise<void> {
  await (await shelf()).put("drafts", draft);
}

export async function dropDraft(id: string): Promise<void> {
  await (await shelf()).delete("drafts", id);
}
