/**
 * A text without its middle, if it is longer than `max` characters: beginnings and ends tell keys apart. The whole of it is
 * the title.
 */
export function Shortened({ text, max = 80 }: { readonly text: string; readonly max?: number }) {
  if (text.length <= max) return text;
  const tail = Math.floor(max / 3);
  return (
    <span title={text}>
      {text.slice(0, max - tail - 1)}…{text.slice(-tail)}
    </span>
  );
}
