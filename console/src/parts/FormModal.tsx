import { Form, type FormProps, Modal } from "antd";
import type { ReactNode } from "react";
import { useTexts } from "../i18n";
import { Refusal } from "./Trouble";

interface Props<Fields> extends Required<Pick<FormProps<Fields>, "form" | "onFinish" | "initialValues">> {
  title: string;
  /** On the button that sends it. */
  send: string;
  /** It is on its way. */
  sending: boolean;
  /** Why it was not taken; what concerns one field stands at that field as well. */
  error: unknown;
  close: () => void;
  width?: number;
  /** What stands below the fields. */
  below?: ReactNode;
  children: ReactNode;
}

/** A form over the page: sent by its button or Enter, left by Esc. */
export function FormModal<Fields>(props: Props<Fields>) {
  const { form, onFinish, initialValues, title, send, sending, error, close, width, below, children } = props;
  const { t } = useTexts();
  return (
    <Modal
      open
      width={width}
      title={title}
      okText={send}
      cancelText={t("password.cancel")}
      confirmLoading={sending}
      onOk={() => form.submit()}
      onCancel={() => close()} // the click is none of its business
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={onFinish}
        initialValues={initialValues}
      >
        {error ? <Refusal error={error} /> : null}
        {children}
      </Form>
      {below}
    </Modal>
  );
}
