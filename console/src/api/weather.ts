import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, type Schemas } from "./client";

export type Spell = Schemas["Spell"];
export type WeatherBody = Schemas["WeatherBody"];

const WEATHER = ["weather"];

/** What stood in the last day, newest first. */
export function useWeather() {
  return useQuery({
    queryKey: WEATHER,
    queryFn: () => call("get", "/api/weather"),
    refetchInterval: 30_000,
  });
}

function useChange<T>(change: (asked: T) => Promise<Spell>, done?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: done,
    onSettled: () => client.invalidateQueries({ queryKey: WEATHER }),
  });
}

export function useBeginWeather(done: () => void) {
  return useChange((body: WeatherBody) => call("post", "/api/weather", { body }), done);
}

export function useEndWeather() {
  return useChange((number: number) => call("post", "/api/weather/{number}/end", { path: { number } }));
}
