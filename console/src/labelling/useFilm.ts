import { type RefObject, useEffect, useState } from "react";
import { type ClipFacts, filmTime, frameOnFilm } from "./reel";

/** Keeps the video and the play head together: while it plays the head follows, else the video shows the head's
 * picture. */
export function useFilm(
  film: RefObject<HTMLVideoElement | null>,
  clip: ClipFacts,
  frame: number,
  follow: (frame: number) => void,
) {
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    const video = film.current;
    if (!video || playing) return;
    video.currentTime = filmTime(clip, frame);
  }, [film, clip, frame, playing]);
  useEffect(() => {
    const video = film.current;
    if (!video || !playing) return;
    let next = 0;
    const look = () => {
      follow(frameOnFilm(clip, video.currentTime));
      if (video.ended) setPlaying(false);
      else next = requestAnimationFrame(look);
    };
    video.play().then(
      () => {
        next = requestAnimationFrame(look);
      },
      () => setPlaying(false),
    );
    return () => {
      cancelAnimationFrame(next);
      video.pause();
    };
  }, [film, clip, playing, follow]);
  return { playing, setPlaying };
}
