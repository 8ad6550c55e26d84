#!/usr/bin/env python3
"""Conversations written by hand, byte by byte as the servers' documentation has them: what no server at hand says."""
import ctypes
import os
import struct
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import events
import harness
import recorder


class Talk:
    """One TCP connection: client(...) and server(...) send, in turn."""

    def __init__(self, server_port, is_opened=True):
        self.packets, self.server_port, self.time_us = [], server_port, 1700000000000000
        self.next = {True: 1000, False: 5000}
        if is_opened:
            self.add(True, recorder.SYN)
            self.add(False, recorder.SYN | recorder.ACK)

    def add(self, from_client, flags, data=b""):
        self.time_us += 10
        self.packets.append(recorder.Packet(self.time_us, 50000, from_client, self.next[from_client],
                                            self.next[not from_client], flags, data))
        self.next[from_client] += len(data) + bool(flags & 3)
        return self

    def client(self, *data):
        for one in data:
            self.add(True, recorder.ACK, one)
        return self

    def server(self, *data):
        for one in data:
            self.add(False, recorder.ACK, one)
        return self

    def told(self):
        out = [events.of_capture(recorder.pcap(recorder.split(self.packets, size), self.server_port)) for size in (1 << 16, 1)]
        for one in out:
            for event in one:
                del event["offset"], event["time_us"]
                event.pop("end_us", None)
        assert out[0] == out[1], out
        return out[0]


def statements(told):
    return [(s["sql"], events.texts(s["params"]), s["outcome"], s["row_count"], events.rows(s)) for s in events.statements(told)]


def reasons(told):
    return [(gap["reason"], gap["is_encrypted"]) for gap in events.gaps(told)]


# --- PostgreSQL ---

def pg(kind, body=b""):
    return kind.encode() + struct.pack(">I", 4 + len(body)) + body


def startup(code, text=b""):
    return struct.pack(">II", 8 + len(text), code) + text


STARTUP = startup(196608, b"user\0ann\0database\0shop\0application_name\0app\0\0")
READY = pg("Z", b"I")
LOGIN = pg("R", struct.pack(">I", 0)) + READY
SSL, GSS, CANCEL = 80877103, 80877104, 80877102


def column(name, oid=23, form=0):
    return name + b"\0" + struct.pack(">IHIhih", 0, 0, oid, 4, -1, form)


def row(*values):
    return pg("D", struct.pack(">H", len(values)) + b"".join(
        struct.pack(">i", -1) if value is None else struct.pack(">I", len(value)) + value for value in values))


ONE = pg("T", struct.pack(">H", 1) + column(b"n")) + row(b"1") + pg("C", b"SELECT 1\0")


class PostgreSQL(unittest.TestCase):
    def talk(self):
        return Talk(5432).client(STARTUP).server(LOGIN)

    def test_encryption_is_refused(self):
        told = Talk(5432).client(startup(GSS)).server(b"N").client(startup(SSL)).server(b"N").client(STARTUP).server(
            LOGIN).client(pg("Q", b"SELECT 1\0")).server(ONE + READY).told()
        self.assertEqual(statements(told), [("SELECT 1", [], "ok", 1, [["1"]])])
        self.assertEqual(reasons(told), [])

    def test_encrypted(self):
        for begin in (lambda t: t.client(startup(SSL)).server(b"S"), lambda t: t.client(startup(GSS)).server(b"G"), lambda t: t):
            told = begin(Talk(5432)).client(b"\x16\x03\x01\x00\x05hello").server(b"\x16\x03\x03\x00\x02yo").told()
            self.assertEqual(reasons(told), [("the connection is encrypted", 1)])
            self.assertEqual(told[0]["byte_count"] >= 17, True)

    def test_encrypted_midway(self):
        told = Talk(5432, False).client(b"\x17\x03\x03\x00\x05hello").server(b"\x17\x03\x03\x00\x02yo").told()
        self.assertEqual(reasons(told), [("the connection is encrypted", 1)])

    def test_cancel_request(self):
        self.assertEqual(Talk(5432).client(startup(CANCEL, struct.pack(">II", 7, 9))).told(), [])

    def test_newer_version(self):
        told = Talk(5432).client(startup(196610, b"user\0ann\0\0")).server(
            pg("v", struct.pack(">II", 0, 0)), pg("R", struct.pack(">I", 0)), pg("K", b"1234" + bytes(32)), READY).told()
        self.assertEqual([(e["user"], e["database"]) for e in told], [("ann", "ann")])

    def test_replication(self):
        told = Talk(5432).client(startup(196608, b"user\0ann\0replication\0database\0\0")).server(LOGIN).told()
        self.assertEqual(reasons(told), [("a replication connection is not decoded", 0)])

    def test_portal_in_batches(self):
        talk = self.talk().client(
            pg("P", b"s\0SELECT n FROM t WHERE n > $1\0" + struct.pack(">H", 0)) + pg("D", b"Ss\0")
            + pg("B", b"p\0s\0" + struct.pack(">HHHI", 1, 1, 1, 4) + b"\0\0\0\7" + struct.pack(">HH", 1, 1))
            + pg("E", b"p\0" + struct.pack(">I", 1)) + pg("H"))
        talk.server(pg("1") + pg("t", struct.pack(">HI", 1, 23)) + pg("T", struct.pack(">H", 1) + column(b"n")) + pg("2")
                    + row(b"\0\0\0\x08") + pg("s"))
        talk.client(pg("E", b"p\0" + struct.pack(">I", 0)) + pg("C", b"Pp\0") + pg("S"))
        talk.server(row(b"\0\0\0\x09") + pg("C", b"SELECT 1\0") + pg("3") + READY)
        told = talk.told()
        sql = "SELECT n FROM t WHERE n > $1"
        self.assertEqual(statements(told), [(sql, ["7"], "ok", 1, [["8"]]), (sql, ["7"], "ok", 1, [["9"]])])
        self.assertEqual([s["is_more"] for s in events.statements(told)], [0, 1])

    def test_parse_that_fails_leaves_what_was_prepared(self):
        talk = self.talk().client(pg("P", b"s\0SELECT 1\0\0\0") + pg("S")).server(pg("1") + READY)
        talk.client(pg("P", b"s\0SELECT 2\0\0\0") + pg("S")).server(pg("E", b"SERROR\0C42P05\0Mthere\0\0") + READY)
        talk.client(pg("B", b"\0s\0" + bytes(6)) + pg("E", b"\0" + bytes(4)) + pg("S")).server(
            pg("2") + row(b"1") + pg("C", b"SELECT 1\0") + READY)
        self.assertEqual([s[0] for s in statements(talk.told())], ["SELECT 2", "SELECT 1"])

    def test_commit_that_fails_at_sync(self):
        talk = self.talk().client(pg("P", b"\0INSERT\0\0\0") + pg("B", b"\0\0" + bytes(6)) + pg("E", b"\0" + bytes(4)) + pg("S"))
        talk.server(pg("1") + pg("2") + pg("C", b"INSERT 0 1\0") + pg("E", b"SERROR\0C40001\0Mno\0\0") + READY)
        told = events.statements(talk.told())
        self.assertEqual([(s["sql"], s["outcome"], s["code"], s["after"]) for s in told], [("INSERT", "failed", "40001", "none")])

    def test_prepared_before_the_capture(self):
        talk = Talk(5432, False).client(pg("B", b"\0s1\0" + bytes(6)) + pg("E", b"\0" + bytes(4)) + pg("S"))
        talk.server(pg("2") + row(b"1") + pg("C", b"SELECT 1\0") + READY).client(pg("Q", b"SELECT 1\0")).server(ONE + READY)
        told = talk.told()
        self.assertEqual(reasons(told), [("the connection began before the capture", 0),
                                         ("a statement was prepared where the capture did not see it", 0)])
        self.assertEqual(len(statements(told)), 1)

    def test_nonsense(self):
        talk = self.talk().client(pg("Q", b"SELECT 1\0")).server(b"\xff" * 20).client(pg("Q", b"SELECT 2\0")).server(
            b"...." + ONE + READY).client(pg("Q", b"SELECT 3\0")).server(ONE + READY)
        told = talk.told()
        self.assertEqual([s[0] for s in statements(told)], ["SELECT 3"])
        self.assertEqual(reasons(told), [("what comes is no message of PostgreSQL's protocol", 0)])

    def test_never_answered(self):
        told = self.talk().client(pg("Q", b"UPDATE t SET n = 1\0")).told()
        self.assertEqual(statements(told), [("UPDATE t SET n = 1", [], "unknown", -1, None)])

    def test_body_of_a_function(self):
        sql = b"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN 1 = 1 THEN 1 END; SELECT 2; END; SELECT (1)"
        told = self.talk().client(pg("Q", sql + b"\0")).server(pg("C", b"CREATE FUNCTION\0") + ONE + READY).told()
        self.assertEqual([s[0] for s in statements(told)], [sql[:-12].decode(), "SELECT (1)"])

    def test_answers_do_not_match_the_text(self):
        talk = self.talk().client(pg("Q", b"SELECT 1\0")).server(ONE + ONE + READY).client(pg("Q", b"SELECT 2\0")).server(ONE + READY)
        told = talk.told()
        self.assertEqual(reasons(told), [("the server answered more statements than were sent", 0)])
        self.assertEqual([s[0] for s in statements(told)], ["SELECT 1", "SELECT 2"])


# --- MySQL ---

PROTOCOL_41, TRANSACTIONS, SECURE, MULTI, PLUGIN_AUTH = 1 << 9, 1 << 13, 1 << 15, 3 << 16, 1 << 19
SESSION_TRACK, DEPRECATE_EOF, OPTIONAL_METADATA, ZSTD, ATTRIBUTES, COMPRESS = 1 << 23, 1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 5
BASE = PROTOCOL_41 | TRANSACTIONS | SECURE | PLUGIN_AUTH


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def packets(first, *bodies):
    return b"".join(packet((first + i) & 255, body) for i, body in enumerate(bodies))


def lenenc(text):
    return bytes([len(text)]) + text


def greeting(flags):
    return packet(0, b"\x0a8.4.0\0" + struct.pack("<I", 5) + b"12345678\0" + struct.pack("<HBHHB", flags & 0xffff, 255, 2, flags >> 16, 21)
                  + bytes(10) + b"123456789012\0" + b"caching_sha2_password\0")


def response(flags, level=b""):
    return packet(1, struct.pack("<IIB", flags, 1 << 24, 255) + bytes(23) + b"ann\0" + b"\x14" + b"x" * 20 + b"caching_sha2_password\0" + level)


def ok(status=2, header=0, affected=0, state=b""):
    return bytes([header, affected, 0]) + struct.pack("<HH", status, 0) + state


def definition(name, kind=3, flags=0, decimals=0):
    return b"\3def" + b"\0" * 3 + lenenc(name) + lenenc(name) + b"\x0c" + struct.pack("<HIBHB", 63, 11, kind, flags, decimals) + b"\0\0"


EOF = b"\xfe\0\0\2\0"
LOGIN_OK = packet(6, ok())


def result(is_deprecated, *rows, count=b"\1"):
    end = [] if is_deprecated else [EOF]
    return packets(1, count, definition(b"n"), *end, *rows, ok(2, 0xfe) if is_deprecated else EOF)


class MySQL(unittest.TestCase):
    def talk(self, flags):
        return Talk(3306).server(greeting(flags)).client(response(flags)).server(
            packet(2, b"\xfemysql_native_password\0" + b"a" * 20)).client(packet(3, b"\0" * 20)).server(
                packet(4, b"\1\3")).client(packet(5, b"\xffsecret")).server(LOGIN_OK)

    def test_both_ends_of_descriptions(self):
        for flags, is_deprecated in ((BASE, False), (BASE | DEPRECATE_EOF, True)):
            told = self.talk(flags).client(packet(0, b"\3SELECT n")).server(result(is_deprecated, b"\x017", b"\xfb")).told()
            self.assertEqual(statements(told), [("SELECT n", [], "ok", 2, [["7"], [None]])])
            self.assertEqual([e["user"] for e in told if e["kind"] == "session"], ["ann"])

    def test_midway_finds_out(self):
        for is_deprecated in (False, True):
            talk = Talk(3306, False).server(b"rest of an answer").client(packet(0, b"\3SELECT n")).server(result(is_deprecated, b"\x017"))
            prepared = struct.pack("<BIHHBH", 0, 9, 0, 1, 0, 0)
            talk.client(packet(0, b"\x16DO ?")).server(packets(1, prepared, definition(b"?"), *([] if is_deprecated else [EOF])))
            talk.client(packet(0, b"\x17" + struct.pack("<IBI", 9, 0, 1) + b"\0\1\3\0" + struct.pack("<i", -4))).server(packet(1, ok()))
            told = talk.told()
            self.assertEqual(statements(told), [("SELECT n", [], "ok", 1, [["7"]]), ("DO ?", ["-4"], "ok", 0, None)])
            self.assertEqual(reasons(told), [("the connection began before the capture", 0)])

    def test_midway_with_a_prepare_first(self):
        for ends in ([], [EOF]):
            prepared = struct.pack("<BIHHBH", 0, 9, 0, 1, 0, 0)
            talk = Talk(3306, False).client(packet(0, b"\x16DO ?")).server(packets(1, prepared, definition(b"?"), *ends))
            talk.client(packet(0, b"\x17" + struct.pack("<IBI", 9, 0, 1) + b"\0\1\3\0" + struct.pack("<i", -4))).server(packet(1, ok()))
            self.assertEqual(statements(talk.told()), [("DO ?", ["-4"], "ok", 0, None)])

    def test_query_attributes(self):
        flags = BASE | ATTRIBUTES | DEPRECATE_EOF
        attributes = b"\1\1\0\1\xfe\0" + lenenc(b"trace") + lenenc(b"id-1")
        prepared = struct.pack("<BIHHBH", 0, 9, 0, 1, 0, 0)
        talk = self.talk(flags).client(packet(0, b"\3" + attributes + b"SELECT n")).server(result(True, b"\x017"))
        talk.client(packet(0, b"\3\0\1SELECT 2")).server(result(True, b"\x012"))
        talk.client(packet(0, b"\x16DO ?")).server(packets(1, prepared, definition(b"?")))
        execute = struct.pack("<IBI", 9, 8, 1) + b"\2\0\1\3\0\0" + b"\xfe\0" + lenenc(b"trace") + struct.pack("<i", -4) + lenenc(b"id-2")
        talk.client(packet(0, b"\x17" + execute)).server(packet(1, ok()))
        self.assertEqual(statements(talk.told()), [
            ("SELECT n", [], "ok", 1, [["7"]]), ("SELECT 2", [], "ok", 1, [["2"]]), ("DO ?", ["-4"], "ok", 0, None)])

    def test_session_state(self):
        flags = BASE | SESSION_TRACK
        state = b"\0" + lenenc(b"\1" + lenenc(lenenc(b"shop")))
        talk = self.talk(flags).client(packet(0, b"\3USE shop")).server(packet(1, ok(0x4002, state=state)))
        self.assertEqual([e["database"] for e in talk.told() if e["kind"] == "session"], ["", "shop"])

    def test_transaction_state(self):
        talk = self.talk(BASE).client(packet(0, b"\3BEGIN")).server(packet(1, ok(3))).client(packet(0, b"\3COMMIT")).server(packet(1, ok(2)))
        self.assertEqual([s["after"] for s in events.statements(talk.told())], ["open", "none"])

    def test_optional_descriptions(self):
        flags = BASE | OPTIONAL_METADATA | DEPRECATE_EOF
        talk = self.talk(flags).client(packet(0, b"\3SELECT n")).server(result(True, b"\x017", count=b"\1\1"))
        talk.client(packet(0, b"\x16SELECT m")).server(packets(1, struct.pack("<BIHHBHB", 0, 9, 1, 0, 0, 0, 1), definition(b"m")))
        talk.client(packet(0, b"\x17" + struct.pack("<IBI", 9, 0, 1))).server(packets(1, b"\1\0", b"\0\0" + struct.pack("<i", 8), ok(2, 0xfe)))
        self.assertEqual(statements(talk.told()), [("SELECT n", [], "ok", 1, [["7"]]), ("SELECT m", [], "ok", 1, [["8"]])])

    def test_compressed(self):
        def plain(body):
            return struct.pack("<I", len(body))[:3] + b"\0" + bytes(3) + body

        def packed(body, pack):
            out = pack(body)
            return struct.pack("<I", len(out))[:3] + b"\0" + struct.pack("<I", len(body))[:3] + out

        packs = [(COMPRESS, zlib.compress, b"")]
        try:
            lib = ctypes.CDLL("libzstd.so.1")
            lib.ZSTD_compress.restype = ctypes.c_size_t

            def zstd(body):
                out = ctypes.create_string_buffer(len(body) + 1000)
                size = lib.ZSTD_compress(out, ctypes.c_size_t(len(out)), body, ctypes.c_size_t(len(body)), 3)
                return out.raw[:size]

            packs.append((ZSTD, zstd, b"\3"))
        except OSError:
            pass
        for flag, pack, level in packs:
            talk = Talk(3306).server(greeting(BASE | flag)).client(response(BASE | flag, level)).server(packet(2, ok()))
            answer = result(False, *[b"\x017"] * 50)
            talk.client(packed(packet(0, b"\3SELECT n"), pack)).server(packed(answer[:100], pack), plain(answer[100:103]), packed(answer[103:], pack))
            told = talk.told()
            self.assertEqual(reasons(told), [])
            self.assertEqual(statements(told), [("SELECT n", [], "ok", 50, [["7"]] * 50)])
            midway = Talk(3306, False)
            midway.packets = talk.packets[5:]
            self.assertEqual(statements(midway.told()), statements(told))

    def test_encrypted(self):
        flags = BASE | 1 << 11
        told = Talk(3306).server(greeting(flags)).client(packet(1, struct.pack("<IIB", flags, 1 << 24, 255) + bytes(23))).client(
            b"\x16\x03\x01\x00\x05hello").told()
        self.assertEqual(reasons(told), [("the connection is encrypted", 1)])

    def test_commands_ahead_of_answers(self):
        prepared = struct.pack("<BIHHBH", 0, 9, 0, 1, 0, 0)
        execute = b"\x17" + struct.pack("<IBI", 0xffffffff, 0, 1) + b"\0\1\3\0" + struct.pack("<i", 6)
        talk = self.talk(BASE).client(packet(0, b"\x16DO ?") + packet(0, execute) + packet(0, b"\x19" + struct.pack("<I", 9)) + packet(0, b"\3SELECT n"))
        talk.server(packets(1, prepared, definition(b"?"), EOF), packet(1, ok()), result(False, b"\x017"))
        self.assertEqual(statements(talk.told()), [("DO ?", ["6"], "ok", 0, None), ("SELECT n", [], "ok", 1, [["7"]])])

    def test_executed_without_its_prepare(self):
        talk = self.talk(BASE).client(packet(0, b"\x17" + struct.pack("<IBI", 3, 0, 1))).server(packet(1, ok()))
        talk.client(packet(0, b"\3SELECT n")).server(result(False, b"\x017"))
        told = talk.told()
        self.assertEqual(reasons(told), [("a statement was prepared where the capture did not see it", 0)])
        self.assertEqual(len(statements(told)), 1)

    def test_nonsense(self):
        talk = self.talk(BASE).client(packet(0, b"\3SELECT n")).server(packet(1, b"\2garbage")).client(packet(0, b"\3SELECT n")).server(
            result(False, b"\x017"))
        told = talk.told()
        self.assertEqual(reasons(told), [("an answer is malformed", 0)])
        self.assertEqual(len(statements(told)), 1)

    def test_killed(self):
        told = self.talk(BASE).client(packet(0, b"\3SELECT SLEEP(9)")).server(packet(1, b"\xff\x25\x05#70100killed")).server(
            packet(0, b"\xff\xbf\x0f#HY000idle")).told()
        self.assertEqual([(s["code"], s["error"]) for s in events.statements(told)], [("1317", "killed")])
        self.assertEqual(reasons(told), [])

    def test_replication(self):
        told = self.talk(BASE).client(packet(0, b"\x12" + bytes(10))).server(packet(1, b"\0event")).told()
        self.assertEqual(reasons(told), [("a replication connection is not decoded", 0)])


# --- captures ---

class Captures(unittest.TestCase):
    def test_other_traffic(self):
        talk = Talk(80).client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").server(b"HTTP/1.1 200 OK\r\n\r\n")
        self.assertEqual(talk.told(), [])

    def test_cut_packets(self):
        talk = Talk(5432).client(STARTUP).server(LOGIN)
        for number in range(3):
            sql = b"SELECT %d\0" % number if number != 1 else b"SELECT '" + b"x" * 500 + b"'\0"
            talk.client(pg("Q", sql)).server(ONE + READY)
        told = events.of_capture(recorder.pcap(talk.packets, 5432, snap=200))
        self.assertEqual([s["sql"] for s in events.statements(told)], ["SELECT 0", "SELECT 2"])
        self.assertEqual([gap["reason"] for gap in events.gaps(told)], ["packets were captured in part only"])

    def test_fragments(self):
        talk = Talk(5432).client(STARTUP).server(LOGIN).client(pg("Q", b"SELECT 1\0")).server(ONE + READY)
        whole = bytearray(recorder.pcap(talk.packets, 5432))
        at = len(recorder.pcap(talk.packets[:4], 5432)) + 16 + 14 + 6
        whole[at] |= 0x20
        told = events.of_capture(bytes(whole))
        self.assertIn("a fragment of an IP packet is not put together", [gap["reason"] for gap in events.gaps(told)])

    def test_connections_at_once(self):
        """More than are kept: those silent longest are left, and that is told."""
        count = 16384 + 50
        packets = []
        for number in range(count):
            for p in Talk(5432).client(STARTUP).packets:
                p.client_port = number % 60000 + 1024
                packets.append(p)
        told = events.of_capture(recorder.pcap(packets, 5432))
        self.assertEqual([gap["reason"] for gap in events.gaps(told)],
                         ["too many connections at once: the one that was silent longest is left"] * 50)

    def test_ports_used_again(self):
        packets = []
        for number in range(3):
            talk = Talk(5432).client(STARTUP).server(LOGIN).client(pg("Q", b"SELECT %d\0" % number)).server(ONE + READY)
            for p in talk.packets:
                p.sequence += number * 100000
                p.acknowledged += number * 100000
            packets += talk.packets
        told = events.of_capture(recorder.pcap(packets, 5432))
        self.assertEqual([s["sql"] for s in events.statements(told)], ["SELECT 0", "SELECT 1", "SELECT 2"])
        self.assertEqual(events.gaps(told), [])

    def test_cut_file(self):
        talk = Talk(5432).client(STARTUP).server(LOGIN).client(pg("Q", b"SELECT 1\0")).server(ONE + READY)
        told = events.of_capture(recorder.pcap(talk.packets, 5432)[:-10])
        self.assertEqual([gap["reason"] for gap in events.gaps(told)], ["the capture ends within a packet"])


if __name__ == "__main__":
    harness.main("protocol")
