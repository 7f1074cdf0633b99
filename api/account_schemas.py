"""What is said and asked of logins, second factors and API keys. Times are s since 1970 UTC."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Body
from governance.api_keys import ApiKey
from governance.roles import Right, Role
from governance.types import SecondFactor


class LoginBody(Body):
    name: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1024)


class PasswordBody(Body):
    old: str = Field(min_length=1, max_length=1024)
    new: str = Field(min_length=1, max_length=1024)


class Me(Body):
    """Who is logged in, and what their role may do."""

    name: str
    role: Role
    department: str | None = Field(None, description="whose eyes they have")
    rights: list[Right]
    must_change_password: bool = Field(description="every other door answers 403 until the password is changed")
    second_factor: SecondFactor = Field(description="due: half a login, which `/api/login/second-factor` makes whole")
    must_set_up_second_factor: bool = Field(description="every other door answers 403 until one is set up")


class CodeBody(Body):
    code: str = Field(min_length=6, max_length=40, description="of an authenticator app, or a recovery code")


class EnrolBody(Body):
    password: str = Field(min_length=1, max_length=1024)


class FactorBody(CodeBody):
    password: str = Field(min_length=1, max_length=1024)


class SecondFactorOut(Body):
    """How one's second factor stands."""

    since_utc: float | None = Field(description="null: it is off")
    recovery_left: int
    required: bool = Field(description="one's role must have it")


class Enrolment(Body):
    """What an authenticator app needs, shown once."""

    secret: str = Field(description="base32, for typing")
    uri: str = Field(description="otpauth://…")
    picture: str = Field(description="the same as QR code, SVG")


class OidcOut(Body):
    """The identity provider."""

    label: str | None = Field(description="what to call it; null: there is none")


class NewKeyOut(Body):
    """A key that was just made."""

    key: ApiKey
    text: str = Field(description="the key itself, shown this once")


class RecoveryCodes(Body):
    """Each is good for one login; shown once."""

    codes: list[str]
