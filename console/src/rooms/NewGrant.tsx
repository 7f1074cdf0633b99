import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Checkbox, Form, Input, InputNumber, Select } from "antd";
import { GRANTS, useDepartments } from "../api/access";
import { ApiError, call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import type { Hours } from "../parts/calendar";
import { FormModal } from "../parts/FormModal";
import { HoursField } from "../parts/HoursField";
import { TYPES } from "./filters";

interface Fields {
  grantee: string;
  owner: string;
  cameras: string[];
  zones: string[];
  grids: string[];
  types: string[];
  actions: Schemas["Access"][];
  hours: Hours | null;
  purpose: string;
  days: number;
}

const ACTIONS: Schemas["Access"][] = ["event", "evidence", "live"];
const DAY_S = 86_400;

/** Asking another department for access. */
export function NewGrant({ close }: { close: () => void }) {
  const { t, word } = useTexts();
  const queries = useQueryClient();
  const departments = useDepartments().data ?? [];
  const [form] = Form.useForm<Fields>();
  const options = (mine: boolean) =>
    departments.filter((one) => !mine || one.mine).map((one) => ({ value: one.id, label: one.name }));
  const asking = useMutation({
    mutationFn: ({ days, ...wanted }: Fields) =>
      call("post", "/api/grants", { body: { ...wanted, expires_utc: Date.now() / 1000 + days * DAY_S } }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: GRANTS });
      close();
    },
    onError: (error) => {
      // The server names the field before its complaint.
      const [field, ...complaint] = error instanceof ApiError ? error.problem.detail.split(": ") : [];
      if (field && field in form.getFieldsValue()) {
        form.setFields([{ name: field as keyof Fields, errors: [complaint.join(": ")] }]);
      }
    },
  });
  const required = [{ required: true, message: t("login.required") }];
  const any = { placeholder: t("grants.any"), tokenSeparators: [" ", ",", "，"] };
  return (
    <FormModal<Fields>
      form={form}
      title={t("grants.ask")}
      send={t("grants.send")}
      sending={asking.isPending}
      error={asking.error}
      close={close}
      onFinish={asking.mutate}
      initialValues={{
        actions: ["event"],
        days: 90,
        cameras: [],
        zones: [],
        grids: [],
        types: [],
        hours: null,
      }}
    >
      <Form.Item name="grantee" label={t("grants.grantee")} rules={required}>
        <Select options={options(true)} />
      </Form.Item>
      <Form.Item name="owner" label={t("grants.owner")} rules={required}>
        <Select options={options(false)} showSearch optionFilterProp="label" />
      </Form.Item>
      <Form.Item name="actions" label={t("grants.allows")} rules={required}>
        <Checkbox.Group options={ACTIONS.map((one) => ({ value: one, label: word("access", one) }))} />
      </Form.Item>
      <Form.Item name="types" label={t("events.type")}>
        <Select
          mode="multiple"
          {...any}
          options={TYPES.map((one) => ({ value: one, label: word("event", one) }))}
        />
      </Form.Item>
      <Form.Item name="cameras" label={t("grants.cameras")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name="zones" label={t("grants.zones")} extra={t("grants.zones.how")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name="grids" label={t("subs.grids")}>
        <Select mode="tags" {...any} />
      </Form.Item>
      <Form.Item name="hours" label={t("hours.title")} extra={t("hours.how")}>
        <HoursField />
      </Form.Item>
      <Form.Item name="purpose" label={t("grants.purpose")} rules={[...required, { min: 4 }]}>
        <Input.TextArea maxLength={500} />
      </Form.Item>
      <Form.Item name="days" label={t("keys.days")} rules={required}>
        <InputNumber min={1} max={365} precision={0} suffix={t("unit.d")} />
      </Form.Item>
    </FormModal>
  );
}
