"""One RTSP connection: requests in, answers and interleaved packets out (RFC 2326)."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulator.rtsp import auth
from simulator.rtsp.audio import AUDIO_PAYLOAD_TYPE, AudioTrack
from simulator.rtsp.camera import VIDEO_PAYLOAD_TYPE, Pump, ServedCamera, rtp_packet, sender_report
from simulator.rtsp.faults import Faults
from simulator.rtsp.packetise import Payload

# A viewer that reads too slowly loses pictures, as with a real camera; the server's memory does not grow.
_MAX_UNSENT = 4_000_000
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 461: "Unsupported Transport"}
_INTERLEAVED = re.compile(r"interleaved=(\d+)-(\d+)")
_CLIENT_PORT = re.compile(r"client_port=(\d+)-(\d+)")


class Host(Protocol):
    """What a session needs of its server."""

    def find(self, path: str) -> ServedCamera | None: ...

    def faults(self, name: str) -> Faults: ...

    def pump(self, camera: ServedCamera) -> Pump: ...


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """Path of the URL without host, slashes at its ends and track."""
        path = re.sub(r"^rtsps?://[^/]*", "", self.url, flags=re.IGNORECASE)
        return re.sub(r"/?(track\d+)?/?$", "", path.split("?")[0]).strip("/")

    @property
    def track(self) -> int:
        found = re.search(r"track(\d+)/?$", self.url)
        return int(found[1]) if found else 0


@dataclass(slots=True)
class _Track:
    """Where one track's packets go: a pair of interleaved channels, or a pair of UDP sockets."""

    ssrc: int
    channels: tuple[int, int] | None = None
    udp: tuple[asyncio.DatagramTransport, asyncio.DatagramTransport] | None = None
    sequence: int = field(default_factory=lambda: secrets.randbelow(2**16))
    packets: int = 0
    octets: int = 0


class Session:
    """Serves one connection until it ends. A `camera.Sink` while it plays."""

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._id = secrets.token_hex(8)
        self._nonce = auth.new_nonce()
        self._tracks: dict[int, _Track] = {}
        self._camera: ServedCamera | None = None
        self._pump: Pump | None = None
        self._audio: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answers requests until the peer goes away or `cut` is called."""
        try:
            while (request := await self._read_request()) is not None:
                if not await self._answer(request):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the peer left without saying goodbye: nothing is owed to it
        except (ValueError, asyncio.LimitOverrunError):
            pass  # what it sent is no RTSP: the connection ends, as with any camera
        finally:
            self._stop()
            self._writer.close()

    def cut(self) -> None:
        self._writer.transport.abort()

    async def _read_request(self) -> _Request | None:
        while True:
            first = await self._reader.read(1)
            if not first:
                return None
            if first == b"$":
                # RTCP of the receiver: read past it.
                head = await self._reader.readexactly(3)
                await self._reader.readexactly(int.from_bytes(head[1:], "big"))
                continue
            text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lstrip("\r\n")
            line, *rest = text.split("\r\n")
            parts = line.split(" ")
            if len(parts) < 3:
                return None
            headers = {k.strip().lower(): v.strip() for k, _, v in (h.partition(":") for h in rest) if k}
            if length := int(headers.get("content-length", 0)):
                await self._reader.readexactly(length)
            return _Request(parts[0].upper(), parts[1], headers)

    async def _answer(self, request: _Request) -> bool:
        """Handles one request; False when the connection is to end."""
        if request.method == "OPTIONS":
            # Asked before the camera is known in any other way; also the usual keep-alive.
            faults = self._find_faults(request)
            if faults is not None and not await self._misbehave(faults):
                return False
            self._reply(request, 200, {"Public": _METHODS})
            return True
        camera = self._host.find(request.path) or self._camera
        if camera is None:
            self._reply(request, 404)
            return False
        if not await self._misbehave(self._host.faults(camera.name)):
            return False
        if camera.user and not auth.accepts(
            request.headers.get("authorization", ""), request.method, self._nonce, camera.user, camera.password
        ):
            self._reply(request, 401, {"WWW-Authenticate": auth.challenge(self._nonce)})
            return True
        self._camera = camera
        return await self._obey(request, camera)

    def _find_faults(self, request: _Request) -> Faults | None:
        camera = self._host.find(request.path)
        return self._host.faults(camera.name) if camera is not None else None

    async def _misbehave(self, faults: Faults) -> bool:
        if faults.refuse:
            self.cut()
            return False
        while faults.hang:
            await asyncio.sleep(0.05)
        if faults.answer_delay:
            await asyncio.sleep(faults.answer_delay)
        return True

    async def _obey(self, request: _Request, camera: ServedCamera) -> bool:
        match request.method:
            case "DESCRIBE":
                base = request.url.rstrip("/") + "/"
                self._reply(
                    request, 200, {"Content-Type": "application/sdp", "Content-Base": base}, _sdp(camera).encode()
                )
            case "SETUP":
                await self._setup(request)
            case "PLAY":
                self._reply(request, 200, {"Session": self._id, "Range": "npt=now-"})
                self._play(camera)
            case "PAUSE" | "TEARDOWN":
                self._stop()
                self._reply(request, 200, {"Session": self._id})
                return request.method != "TEARDOWN"
            case "GET_PARAMETER" | "SET_PARAMETER":
                self._reply(request, 200, {"Session": self._id})
            case _:
                self._reply(request, 400)
        return True

    async def _setup(self, request: _Request) -> None:
        transport = request.headers.get("transport", "")
        track = _Track(ssrc=secrets.randbelow(2**32))
        if found := _INTERLEAVED.search(transport):
            track.channels = (int(found[1]), int(found[2]))
            answer = f"RTP/AVP/TCP;unicast;interleaved={found[1]}-{found[2]};ssrc={track.ssrc:08X}"
        elif found := _CLIENT_PORT.search(transport):
            track.udp = await self._open_udp(int(found[1]), int(found[2]))
            ports = "-".join(str(t.get_extra_info("sockname")[1]) for t in track.udp)
            answer = f"RTP/AVP/UDP;unicast;client_port={found[1]}-{found[2]};server_port={ports};ssrc={track.ssrc:08X}"
        else:
            self._reply(request, 461)
            return
        self._tracks[request.track] = track
        self._reply(request, 200, {"Transport": answer, "Session": f"{self._id};timeout=60"})

    async def _open_udp(self, rtp: int, rtcp: int) -> tuple[asyncio.DatagramTransport, asyncio.DatagramTransport]:
        host = self._writer.get_extra_info("peername")[0]
        own = self._writer.get_extra_info("sockname")[0]
        loop = asyncio.get_running_loop()
        pair = []
        for port in (rtp, rtcp):
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(own, 0), remote_addr=(host, port)
            )
            pair.append(transport)
        return pair[0], pair[1]

    def _play(self, camera: ServedCamera) -> None:
        if self._pump is None and 0 in self._tracks:
            self._pump = self._host.pump(camera)
            self._pump.add(self)
        if self._audio is None and 1 in self._tracks:
            self._audio = asyncio.get_running_loop().create_task(AudioTrack(self._send_audio).run())

    def _stop(self) -> None:
        if self._pump is not None:
            self._pump.remove(self)
            self._pump = None
        if self._audio is not None:
            self._audio.cancel()
            self._audio = None
        for track in self._tracks.values():
            for transport in track.udp or ():
                transport.close()
        self._tracks.clear()

    def _reply(self, request: _Request, code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        lines = [f"RTSP/1.0 {code} {_REASONS[code]}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{key}: {value}" for key, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    def send_video(self, timestamp: int, payloads: Sequence[Payload]) -> None:
        self._send(0, VIDEO_PAYLOAD_TYPE, timestamp, payloads)

    def _send_audio(self, timestamp: int, payload: bytes) -> None:
        self._send(1, AUDIO_PAYLOAD_TYPE, timestamp, (Payload(payload, marker=False),))

    def _send(self, number: int, payload_type: int, timestamp: int, payloads: Sequence[Payload]) -> None:
        track = self._tracks.get(number)
        transport = self._writer.transport
        if track is None or transport.get_write_buffer_size() > _MAX_UNSENT:
            return
        chunks: list[bytes] = []
        for payload in payloads:
            packet = rtp_packet(payload_type, payload.marker, track.sequence, timestamp, track.ssrc, payload.data)
            track.sequence = (track.sequence + 1) & 0xFFFF
            track.packets += 1
            track.octets += len(payload.data)
            if track.udp is not None:
                track.udp[0].sendto(packet)
            elif track.channels is not None:
                chunks.append(_interleave(track.channels[0], packet))
        if chunks:
            self._writer.write(b"".join(chunks))

    def send_report(self, ntp: int, timestamp: int) -> None:
        track = self._tracks.get(0)
        if track is None:
            return
        packet = sender_report(track.ssrc, ntp, timestamp, track.packets, track.octets)
        if track.udp is not None:
            track.udp[1].sendto(packet)
        elif track.channels is not None:
            self._writer.write(_interleave(track.channels[1], packet))


def _interleave(channel: int, packet: bytes) -> bytes:
    return b"$" + channel.to_bytes(1, "big") + len(packet).to_bytes(2, "big") + packet


def _sdp(camera: ServedCamera) -> str:
    text = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    text += "a=control:*\r\na=range:npt=now-\r\n"
    text += f"m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}\r\n{camera.clip.sdp_format(camera.parameter_sets)}"
    text += "a=control:track0\r\n"
    if camera.audio:
        text += (
            f"m=audio 0 RTP/AVP {AUDIO_PAYLOAD_TYPE}\r\na=rtpmap:{AUDIO_PAYLOAD_TYPE} PCMU/8000\r\na=control:track1\r\n"
        )
    return text
