import { type RefObject, useEffect, useState } from "react";

/** The element's inner size in CSS pixels, kept current. */
export function useSize(element: RefObject<Element | null>): readonly [number, number] {
  const [size, setSize] = useState<readonly [number, number]>([16, 9]);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const measure = () => setSize([target.clientWidth || 16, target.clientHeight || 9]);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
