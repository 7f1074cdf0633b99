import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Form, Input, Select, Switch } from "antd";
import { PEOPLE, useDepartments } from "../api/access";
import { call, type Schemas } from "../api/client";
import { useTexts } from "../i18n";
import { FormModal } from "../parts/FormModal";

type Role = Schemas["Role"];
interface Fields {
  name: string;
  display_name?: string;
  role: Role;
  department?: string;
  active: boolean;
}

const ROLES: Role[] = [
  "department_operator",
  "dispatcher",
  "investigator",
  "algorithm_engineer",
  "auditor",
  "admin",
];
const OF_NOBODY: Role[] = ["admin", "auditor"];

/** Making an account, or giving it another role. */
export function PersonForm({
  person,
  close,
}: {
  person: Schemas["Person"] | null;
  close: (made?: Schemas["NewPersonOut"]) => void;
}) {
  const { t, word } = useTexts();
  const queries = useQueryClient();
  const departments = useDepartments().data ?? [];
  const [form] = Form.useForm<Fields>();
  const role = Form.useWatch("role", form);
  const saving = useMutation({
    mutationFn: async ({ name, active, ...fields }: Fields) => {
      const wanted = {
        ...fields,
        display_name: fields.display_name ?? "",
        department: OF_NOBODY.includes(fields.role) ? null : fields.department,
      };
      if (!person) return call("post", "/api/people", { body: { name, ...wanted } });
      await call("put", "/api/people/{name}", {
        path: { name: person.name },
        body: { ...wanted, disabled: !active },
      });
      return undefined;
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: PEOPLE });
      close(made);
    },
  });
  const required = [{ required: true, message: t("login.required") }];
  return (
    <FormModal<Fields>
      form={form}
      title={person ? person.name : t("people.new")}
      send={t("people.save")}
      sending={saving.isPending}
      error={saving.error}
      close={() => close()}
      onFinish={saving.mutate}
      initialValues={
        person
          ? { ...person, department: person.department ?? undefined, active: !person.disabled }
          : { role: "department_operator", active: true }
      }
    >
      {person ? null : (
        <Form.Item
          name="name"
          label={t("people.name")}
          extra={t("people.name.how")}
          rules={[...required, { pattern: /^[a-z0-9][a-z0-9._@-]+$/, message: t("people.name.how") }]}
        >
          <Input maxLength={64} autoFocus />
        </Form.Item>
      )}
      <Form.Item name="display_name" label={t("people.display_name")} extra={t("people.display_name.how")}>
        <Input maxLength={40} />
      </Form.Item>
      <Form.Item name="role" label={t("people.role")} rules={required}>
        <Select options={ROLES.map((value) => ({ value, label: word("role", value) }))} />
      </Form.Item>
      {role && !OF_NOBODY.includes(role) ? (
        <Form.Item name="department" label={t("people.department")} rules={required}>
          <Select
            showSearch
            optionFilterProp="label"
            options={departments.map((one) => ({ value: one.id, label: one.name }))}
          />
        </Form.Item>
      ) : null}
      {person ? (
        <Form.Item name="active" label={t("people.may_come_in")} valuePropName="checked">
          <Switch />
        </Form.Item>
      ) : null}
    </FormModal>
  );
}
