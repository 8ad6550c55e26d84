"""Records real traffic as a capture: a relay on loopback that forwards every byte and writes it down as TCP packets.

    with Recorder(server.port) as recorder: ... connect to recorder.port ...
    recorder.packets        Packet objects, in order
    write_pcap(path, packets, server_port=5432, ...)

Packets are what TCP would have sent: SYN, data in segments, ACKs, FIN. The functions below damage them as networks and captures do.
"""
import dataclasses
import random
import select
import socket
import struct
import threading
import time

CLIENT_ADDRESS, SERVER_ADDRESS = bytes([10, 0, 0, 7]), bytes([10, 0, 0, 1])
FIN, SYN, RST, ACK = 1, 2, 4, 16
SEGMENT_BYTES = 1448


@dataclasses.dataclass
class Packet:
    time_us: int
    client_port: int
    from_client: bool
    sequence: int
    acknowledged: int
    flags: int
    data: bytes = b""


class Connection:
    """Sequence numbers of both sides, which begin near the wrap-around."""

    def __init__(self, packets, lock, port, segment_bytes):
        self.packets, self.lock, self.port, self.segment_bytes = packets, lock, port, segment_bytes
        self.next = {True: 0xfffffff0 + port % 7, False: 0xffffff00}

    def add(self, from_client, flags, data=b""):
        with self.lock:
            acknowledged = self.next[not from_client] if flags & ACK else 0
            self.packets.append(Packet(time.time_ns() // 1000, self.port, from_client, self.next[from_client],
                                       acknowledged & 0xffffffff, flags, data))
            self.next[from_client] = (self.next[from_client] + len(data) + bool(flags & (SYN | FIN))) & 0xffffffff

    def send(self, from_client, data):
        for at in range(0, len(data), self.segment_bytes):
            self.add(from_client, ACK, data[at:at + self.segment_bytes])


class Recorder:
    def __init__(self, port, segment_bytes=SEGMENT_BYTES):
        self.target, self.segment_bytes = port, segment_bytes
        self.packets, self.lock, self.threads = [], threading.Lock(), []
        self.client_port = 40000

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc_info):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        for thread in self.threads:
            thread.join(10)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.client_port += 1
            thread = threading.Thread(target=self.relay, args=(client, self.client_port), daemon=True)
            self.threads.append(thread)
            thread.start()

    def relay(self, client, port):
        connection = Connection(self.packets, self.lock, port, self.segment_bytes)
        server = socket.create_connection(("127.0.0.1", self.target))
        connection.add(True, SYN)
        connection.add(False, SYN | ACK)
        connection.add(True, ACK)
        both = {client: (True, server), server: (False, client)}
        try:
            while both:
                for one in select.select(list(both), [], [])[0]:
                    from_client, other = both[one]
                    try:
                        data = one.recv(65536)
                    except ConnectionError:
                        data = b""
                    if data:
                        connection.send(from_client, data)
                        other.sendall(data)
                        continue
                    connection.add(from_client, FIN | ACK)
                    del both[one]
                    try:
                        other.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
        except (ConnectionError, BrokenPipeError):
            connection.add(False, RST | ACK)
        finally:
            client.close()
            server.close()


def tcp(packet, server_port):
    ports = (packet.client_port, server_port) if packet.from_client else (server_port, packet.client_port)
    return struct.pack(">HHIIBBHHH", *ports, packet.sequence, packet.acknowledged, 5 << 4, packet.flags, 65535, 0,
                       0) + packet.data


def ipv4(packet, server_port):
    body = tcp(packet, server_port)
    ends = (CLIENT_ADDRESS, SERVER_ADDRESS) if packet.from_client else (SERVER_ADDRESS, CLIENT_ADDRESS)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0) + ends[0] + ends[1] + body


def ipv6(packet, server_port):
    """With a header of hop-by-hop options before TCP."""
    body = tcp(packet, server_port)
    ends = [bytes(12) + end for end in (CLIENT_ADDRESS, SERVER_ADDRESS)]
    if not packet.from_client:
        ends.reverse()
    options = bytes([6, 0, 1, 4, 0, 0, 0, 0])
    return struct.pack(">IHBB", 6 << 28, len(options) + len(body), 0, 64) + ends[0] + ends[1] + options + body


ETHERNET = bytes(12)
LINKS = {
    "ethernet": (1, lambda p, port: (ETHERNET + b"\x08\x00" + ipv4(p, port)).ljust(60, b"\0")),
    "vlan": (1, lambda p, port: ETHERNET + b"\x81\x00\x00\x05\x08\x00" + ipv4(p, port)),
    "qinq": (1, lambda p, port: ETHERNET + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd" + ipv6(p, port)),
    "null": (0, lambda p, port: b"\x02\0\0\0" + ipv4(p, port)),
    "loop": (108, lambda p, port: b"\0\0\0\x02" + ipv4(p, port)),
    "raw": (101, ipv4),
    "raw6": (229, ipv6),
    "sll": (113, lambda p, port: bytes(14) + b"\x08\x00" + ipv4(p, port)),
    "sll2": (276, lambda p, port: b"\x08\x00" + bytes(18) + ipv4(p, port)),
}


def pcap(packets, server_port, link="ethernet", order="<", nanoseconds=False, snap=262144):
    number, frame = LINKS[link]
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, snap, number)]
    for packet in packets:
        whole = frame(packet, server_port)
        bytes_ = whole[:snap]
        fraction = packet.time_us % 1000000 * (1000 if nanoseconds else 1)
        out.append(struct.pack(order + "IIII", packet.time_us // 1000000, fraction, len(bytes_), len(whole)) + bytes_)
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def pcapng(packets, server_port, link="ethernet", order="<", resolution=6, sections=1, simple=False):
    number, frame = LINKS[link]
    out, per_section = [], -(-len(packets) // sections)
    for at in range(0, len(packets), per_section):
        out.append(block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1)))
        # Two interfaces, of which the second is used; a block of a kind that nobody knows.
        options = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
        out.append(block(order, 1, struct.pack(order + "HHI", 147, 0, 0)))
        interface = block(order, 1, struct.pack(order + "HHI", number, 0, 262144) + options)
        out.append(interface if not simple else b"")
        if simple:
            out[-2] = interface
        out.append(block(order, 0xbad, b"whatever"))
        for packet in packets[at:at + per_section]:
            bytes_ = frame(packet, server_port)
            if simple:
                out.append(block(order, 3, struct.pack(order + "I", len(bytes_)) + bytes_))
                continue
            if resolution & 0x80:
                ticks = packet.time_us * (1 << (resolution & 0x7f)) // 1000000
            else:
                ticks = packet.time_us * 10 ** resolution // 1000000
            out.append(block(order, 6, struct.pack(order + "IIIII", 1, ticks >> 32, ticks & 0xffffffff, len(bytes_),
                                                   len(bytes_)) + bytes_))
    return b"".join(out)


def split(packets, bytes_max):
    """Each into segments of at most so many bytes."""
    out = []
    for packet in packets:
        pieces = [packet.data[at:at + bytes_max] for at in range(0, len(packet.data), bytes_max)] or [b""]
        for i, data in enumerate(pieces):
            is_last = i == len(pieces) - 1
            flags = packet.flags if is_last else packet.flags & ~(FIN | SYN | RST)
            out.append(dataclasses.replace(packet, sequence=packet.sequence + i * bytes_max & 0xffffffff,
                                           data=data, flags=flags))
    return out


def shuffled(packets, seed, distance=6):
    """Out of order by a few places; a SYN is a round trip earlier."""
    rng = random.Random(seed)
    keyed = sorted(enumerate(packets), key=lambda item: item[0] + (0 if item[1].flags & SYN else rng.uniform(0, distance)))
    return [packet for _, packet in keyed]


def duplicated(packets, seed):
    """Some sent again, later; some again with others' bytes about them."""
    rng = random.Random(seed)
    out, late = [], []
    for packet in packets:
        out.append(packet)
        if rng.random() < 0.2:
            late.append(packet)
        if late and rng.random() < 0.2:
            out.append(late.pop(0))
        if len(packet.data) > 10 and rng.random() < 0.2:
            cut = rng.randrange(1, len(packet.data))
            out.append(dataclasses.replace(packet, sequence=packet.sequence + cut & 0xffffffff, data=packet.data[cut:]))
    return out


def dropped(packets, seed, share=0.02):
    """Some of those with data are gone."""
    rng = random.Random(seed)
    return [packet for packet in packets if not packet.data or rng.random() >= share]
