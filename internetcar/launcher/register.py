"""Who has which certificate, and what it allows: the register of an authority (pure)."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from internetcar.contract.message import InputError, Instant, Name, Part
from internetcar.launcher.access import Rights


class RegisterError(InputError):
    """The register does not allow it: a name is taken, or nobody has it."""


class Certificate(Part):
    """One certificate that was issued."""

    serial: str = Field(pattern=r"^[0-9a-f]{1,40}$")
    ends_at: Instant
    revoked_at: Instant | None = None

    def is_worth_something(self, now: datetime) -> bool:
        """Whether the broker takes it."""
        return self.revoked_at is None and now < self.ends_at


class Holder(Part):
    """Somebody with a name, what they may do, and every certificate they ever got."""

    rights: Rights
    certificates: tuple[Certificate, ...] = ()


class Register(Part):
    """Everything an authority knows; all files but the keys can be written from it."""

    version: int = Field(default=1, ge=1, le=1)
    hosts: tuple[str, ...] = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    bind: str = ""
    broker_folder: str
    revision: int = Field(default=0, ge=0, description="the number of the list of revoked ones")
    holders: dict[Name, Holder] = Field(default_factory=dict)

    def rights(self, now: datetime) -> dict[str, Rights]:
        """The rights of everybody who has a certificate that is worth something."""
        return {
            name: holder.rights
            for name, holder in self.holders.items()
            if any(certificate.is_worth_something(now) for certificate in holder.certificates)
        }

    def revoked(self, now: datetime) -> dict[int, datetime]:
        """Since when certificates are revoked, by serial number; not those that have ended."""
        return {
            int(certificate.serial, 16): certificate.revoked_at
            for holder in self.holders.values()
            for certificate in holder.certificates
            if certificate.revoked_at is not None and now < certificate.ends_at
        }

    def with_rights(self, name: str, rights: Rights, now: datetime, *, change: bool) -> "Register":
        """The register after somebody got a name, or other rights.

        A name belongs to one role for ever: in topics and rules a person and a vehicle of the same
        name could not be told apart. Upper and lower case are the same to a person's eye.

        Raises:
            RegisterError: The name is taken; or a vehicle is meant that there is not.
        """
        for taken, holder in self.holders.items():
            if taken.lower() != name.lower():
                continue
            if taken != name or holder.rights.role != rights.role:
                raise RegisterError(f"{name} is taken: {taken} is a {holder.rights.role}")
            if name in self.rights(now) and not change:
                raise RegisterError(
                    f"{name} is taken; `car secure renew {name}` makes a new certificate, and"
                    " --change gives other rights to the one there is"
                )
        if change and name not in self.rights(now):
            raise RegisterError(f"nobody is called {name}; leave out --change")
        for vehicle_id in rights.vehicles:
            known = self.holders.get(vehicle_id)
            if known is None or known.rights.role != "vehicle":
                raise RegisterError(
                    f"no vehicle is called {vehicle_id}: `car secure vehicle {vehicle_id}` first"
                )
        before = self.holders.get(name, Holder(rights=rights))
        return self._with(name, before.model_copy(update={"rights": rights}))

    def with_certificate(self, name: str, certificate: Certificate) -> "Register":
        """The register after somebody in it got one more certificate."""
        holder = self.holder(name)
        certificates = (*holder.certificates, certificate)
        return self._with(name, holder.model_copy(update={"certificates": certificates}))

    def without(self, name: str, now: datetime) -> "Register":
        """The register after all certificates of somebody were revoked; the name stays taken.

        Raises:
            RegisterError: There is nothing to revoke.
        """
        holder = self.holder(name)
        if name not in self.rights(now):
            raise RegisterError(f"{name} has no certificate that is worth something")
        certificates = tuple(
            certificate.model_copy(update={"revoked_at": certificate.revoked_at or now})
            for certificate in holder.certificates
        )
        return self._with(name, holder.model_copy(update={"certificates": certificates}))

    def holder(self, name: str) -> Holder:
        """Who has a name.

        Raises:
            RegisterError: Nobody.
        """
        holder = self.holders.get(name)
        if holder is None:
            raise RegisterError(f"nobody is called {name}; `car secure list` says who there is")
        return holder

    def _with(self, name: str, holder: Holder) -> "Register":
        holders: Mapping[str, Holder] = {**self.holders, name: holder}
        return self.model_copy(update={"holders": holders})
