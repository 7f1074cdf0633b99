/** What of a key event says what it means. */
export interface Pressed {
  key: string;
  repeat: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** How far a press moves, in shares of the picture; finely with Alt. */
export const STEP = 0.01;
export const FINE = 0.002;
