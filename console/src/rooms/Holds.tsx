import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, Skeleton, Tag } from "antd";
import { useId, useState } from "react";
import { useRights } from "../api/access";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { Trouble } from "../parts/Trouble";
import { formatTime } from "../parts/time";
import type { EvidenceOf } from "./Custody";

type Hold = Schemas["HoldView"];
function list(about: EvidenceOf) {
  return "event" in about
    ? call("get", "/api/events/{event_id}/holds", { path: { event_id: about.event } })
    : call("get", "/api/cases/{number}/holds", { path: { number: about.case } });
}

function place(about: EvidenceOf, reason: string) {
  return "event" in about
    ? call("post", "/api/events/{event_id}/holds", { path: { event_id: about.event }, body: { reason } })
    : call("post", "/api/cases/{number}/holds", { path: { number: about.case }, body: { reason } });
}

function release(hold: Hold, reason: string) {
  const body = { reason };
  return hold.event_id
    ? call("post", "/api/events/{event_id}/holds/{number}/release", {
        path: { event_id: hold.event_id, number: hold.id },
        body,
      })
    : call("post", "/api/cases/{number}/holds/{hold}/release", {
        path: { number: hold.case_id ?? 0, hold: hold.id },
        body,
      });
}

/** Legal holds: while one stands, nothing is deleted by policy. */
export function Holds({ about }: { about: EvidenceOf }) {
  const { t } = useTexts();
  const may = useRights()("hold");
  const client = useQueryClient();
  const key = ["holds", about];
  const { data, error, isPending, refetch } = useQuery({ queryKey: key, queryFn: () => list(about) });
  const again = () => {
    void client.invalidateQueries({ queryKey: key });
    void client.invalidateQueries({ queryKey: ["custody"] });
  };
  if (data?.length === 0 && !may) return null;
  return (
    <section className="panel" data-testid="holds">
      <h2>{t("holds.title")}</h2>
      {isPending ? <Skeleton active /> : null}
      {error && !data ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <ul className="lines">
        {(data ?? []).map((hold) => (
          <Line key={hold.id} hold={hold} about={about} done={again} />
        ))}
      </ul>
      {may ? <Reason label={t("holds.place")} act={(reason) => place(about, reason)} done={again} /> : null}
    </section>
  );
}

function Line({ hold, about, done }: { hold: Hold; about: EvidenceOf; done: () => void }) {
  const { t, language } = useTexts();
  const [releasing, setReleasing] = useState(false);
  // That of its case is shown at an event, and released at the case.
  const here = "event" in about ? hold.event_id !== null : true;
  return (
    <li>
      <Tag color={hold.released_utc ? "default" : "gold"}>
        {t(hold.released_utc ? "holds.released" : "holds.stands")}
      </Tag>
      {hold.case_id ? t("holds.case", { n: hold.case_id }) : null} {hold.reason}
      <div className="dim">
        {hold.set_by} · {formatTime(hold.set_utc, language)}
        {hold.released_utc ? (
          <>
            {" → "}
            {hold.released_by} · {formatTime(hold.released_utc, language)} · {hold.release_reason}
          </>
        ) : null}
      </div>
      {hold.may_release && here ? (
        releasing ? (
          <Reason label={t("holds.release")} act={(reason) => release(hold, reason)} done={done} />
        ) : (
          <Button size="small" onClick={() => setReleasing(true)}>
            {t("holds.release")}
          </Button>
        )
      ) : null}
    </li>
  );
}

/** Asks why, and does it. */
function Reason({
  label,
  act,
  done,
}: {
  label: string;
  act: (reason: string) => Promise<unknown>;
  done: () => void;
}) {
  const { t } = useTexts();
  const [form] = Form.useForm<{ reason: string }>();
  const name = useId(); // several stand on one page
  const acting = useMutation({
    mutationFn: ({ reason }: { reason: string }) => act(reason),
    onSuccess: () => {
      form.resetFields();
      done();
    },
  });
  return (
    <>
      <Form form={form} name={name} layout="inline" onFinish={acting.mutate} disabled={acting.isPending}>
        <Form.Item
          name="reason"
          label={t("holds.reason")}
          rules={[{ required: true, min: 4, max: 500, message: t("holds.reason.needed") }]}
        >
          <Input maxLength={500} style={{ width: 240 }} />
        </Form.Item>
        <Button htmlType="submit" loading={acting.isPending}>
          {label}
        </Button>
      </Form>
      {acting.error ? <Trouble error={acting.error} /> : null}
    </>
  );
}
