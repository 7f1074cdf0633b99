/** The cross at which the keyboard draws, and the box from a corner that is set to it. */
export function Cross(props: {
  at: readonly [number, number];
  from?: readonly [number, number];
  colour: string;
}) {
  const { at, from, colour } = props;
  const [x, y] = at;
  return (
    <>
      <line className="cross" x1={0} x2={1} y1={y} y2={y} />
      <line className="cross" x1={x} x2={x} y1={0} y2={1} />
      {from ? (
        <rect
          className="shape"
          x={Math.min(from[0], x)}
          y={Math.min(from[1], y)}
          width={Math.abs(from[0] - x)}
          height={Math.abs(from[1] - y)}
          fill={colour}
          stroke={colour}
        />
      ) : null}
    </>
  );
}
