import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Segmented, Select } from "antd";
import { useState } from "react";
import { useTexts } from "../i18n";
import { type Hours, type Rule, rulesOf, USUAL_ZONE, weekOf } from "./calendar";
import { useDayNames } from "./HoursText";

interface Props {
  /** Given by the form; null: round the clock. */
  value?: Hours | null;
  onChange?: (value: Hours | null) => void;
}

interface Draft {
  rules: Rule[];
  holidays: string[];
  workdays: string[];
  zone: string;
  /** Of a day that is worked instead of another; null: a Monday's. */
  workdayHours: Hours["workday_hours"] | null;
}

const WORKING: Draft = {
  zone: USUAL_ZONE,
  workdayHours: null,
  rules: [{ days: [0, 1, 2, 3, 4], from: "08:00", to: "18:00" }],
  holidays: [],
  workdays: [],
};

/** The draft that a calendar was made of. */
function draftOf({ week, holidays, workdays, zone, workday_hours }: Hours): Draft {
  const asMonday = JSON.stringify(workday_hours) === JSON.stringify(week[0]);
  return { rules: rulesOf(week), holidays, workdays, zone, workdayHours: asMonday ? null : workday_hours };
}

/** A working calendar is asked for: round the clock, or by days and times with the holidays of the year. */
export function HoursField({ value, onChange }: Props) {
  const { t } = useTexts();
  const [draft, setDraft] = useState(() => (value ? draftOf(value) : WORKING));
  const change = (next: Draft) => {
    setDraft(next);
    const week = weekOf(next.rules);
    const { holidays, workdays, zone, workdayHours } = next;
    onChange?.({ zone, week, holidays, workdays, workday_hours: workdayHours ?? week[0] ?? [] });
  };
  const setRule = (at: number, rule: Partial<Rule>) =>
    change({ ...draft, rules: draft.rules.map((one, n) => (n === at ? { ...one, ...rule } : one)) });
  return (
    <>
      <Segmented
        aria-label={t("hours.title")}
        value={value ? "some" : "all"}
        onChange={(which) => (which === "some" ? change(draft) : onChange?.(null))}
        options={[
          { value: "all", label: t("hours.all") },
          { value: "some", label: t("hours.some") },
        ]}
      />
      {value ? (
        <div className="hours">
          {draft.rules.map((rule, at) => (
            <RuleRow
              // biome-ignore lint/suspicious/noArrayIndexKey: a row has nothing else that it is known by
              key={at}
              rule={rule}
              change={(changed) => setRule(at, changed)}
              remove={
                draft.rules.length > 1
                  ? () => change({ ...draft, rules: draft.rules.filter((_, n) => n !== at) })
                  : undefined
              }
            />
          ))}
          <Button
            type="dashed"
            size="small"
            icon={<PlusOutlined />}
            onClick={() =>
              change({ ...draft, rules: [...draft.rules, { days: [5, 6], from: "08:00", to: "18:00" }] })
            }
          >
            {t("hours.add")}
          </Button>
          <Dates
            label={t("hours.holidays")}
            value={draft.holidays}
            change={(holidays) => change({ ...draft, holidays })}
          />
          <Dates
            label={t("hours.workdays")}
            value={draft.workdays}
            change={(workdays) => change({ ...draft, workdays })}
          />
        </div>
      ) : null}
    </>
  );
}

function RuleRow({
  rule,
  change,
  remove,
}: {
  rule: Rule;
  change: (rule: Partial<Rule>) => void;
  remove?: () => void;
}) {
  const { t } = useTexts();
  const names = useDayNames();
  const time = (key: "from" | "to") => (
    <Input
      type="time"
      aria-label={t(`hours.${key}`)}
      value={rule[key]}
      onChange={(event) => event.target.value && change({ [key]: event.target.value })}
      style={{ width: 132 }}
    />
  );
  return (
    <div className="hours-rule">
      <Checkbox.Group
        aria-label={t("hours.days")}
        value={rule.days}
        onChange={(days) => days.length > 0 && change({ days: [...days].sort() })}
        options={names.map((label, value) => ({ value, label }))}
      />
      {time("from")} – {time("to")}
      <Button
        type="text"
        icon={<DeleteOutlined />}
        aria-label={t("hours.remove")}
        disabled={!remove}
        onClick={remove}
      />
    </div>
  );
}

function Dates({
  label,
  value,
  change,
}: {
  label: string;
  value: string[];
  change: (value: string[]) => void;
}) {
  const dated = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  return (
    <Select
      mode="tags"
      aria-label={label}
      placeholder={label}
      tokenSeparators={[" ", ",", "，"]}
      value={value}
      // What is no date is not taken: the tag vanishes as it is typed.
      onChange={(dates: string[]) => change(dates.filter(dated).sort())}
      notFoundContent={null}
      style={{ width: "100%" }}
    />
  );
}
