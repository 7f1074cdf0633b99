import { Button } from "antd";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { useTexts } from "../i18n";
import { Nothing } from "./Trouble";

/** Catches what no room caught: the page says so instead of going blank. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    return this.state.failed ? <Failed /> : this.props.children;
  }
}

function Failed() {
  const { t } = useTexts();
  return (
    <div className="gate">
      <div>
        <Nothing title={t("error.unexpected")} />
        <Button type="primary" onClick={() => window.location.reload()}>
          {t("error.reload")}
        </Button>
      </div>
    </div>
  );
}
