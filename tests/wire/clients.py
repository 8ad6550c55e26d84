"""What Debian's Python drivers do not send: libpq's extended protocol and pipelines, libmariadb's binary statements, through ctypes."""
import ctypes
import struct

PIPELINE_OK = 1


class Libpq:
    def __init__(self, conninfo):
        self.lib = ctypes.CDLL("libpq.so.5")
        for name in ("PQconnectdb", "PQexec", "PQexecParams", "PQexecPrepared", "PQprepare", "PQgetResult", "PQgetvalue",
                     "PQerrorMessage", "PQresultErrorMessage", "PQdescribePrepared"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.c = ctypes.c_void_p(self.lib.PQconnectdb(conninfo.encode()))
        if self.lib.PQstatus(self.c) != 0:
            raise OSError(ctypes.string_at(self.lib.PQerrorMessage(self.c)).decode())

    def arrays(self, params):
        """params: (oid, format, bytes or None)."""
        count = len(params)
        types = (ctypes.c_uint * count)(*[oid for oid, _, _ in params])
        values = (ctypes.c_char_p * count)(*[value for _, _, value in params])
        lengths = (ctypes.c_int * count)(*[len(value or b"") for _, _, value in params])
        formats = (ctypes.c_int * count)(*[form for _, form, _ in params])
        return count, types, values, lengths, formats

    def result(self, pointer):
        result = ctypes.c_void_p(pointer)
        rows = []
        for row in range(self.lib.PQntuples(result)):
            rows.append([None if self.lib.PQgetisnull(result, row, column) else
                         ctypes.string_at(self.lib.PQgetvalue(result, row, column),
                                          self.lib.PQgetlength(result, row, column))
                         for column in range(self.lib.PQnfields(result))])
        self.lib.PQclear(result)
        return rows

    def query(self, sql):
        return self.result(self.lib.PQexec(self.c, sql.encode()))

    def params(self, sql, params, is_binary):
        count, *arrays = self.arrays(params)
        return self.result(self.lib.PQexecParams(self.c, sql.encode(), count, *arrays, int(is_binary)))

    def prepare(self, name, sql):
        self.result(self.lib.PQprepare(self.c, name.encode(), sql.encode(), 0, None))

    def describe(self, name):
        self.result(self.lib.PQdescribePrepared(self.c, name.encode()))

    def run(self, name, params, is_binary):
        count, _, *arrays = self.arrays(params)
        return self.result(self.lib.PQexecPrepared(self.c, name.encode(), count, *arrays, int(is_binary)))

    def pipeline(self, statements):
        """Each a text, or None: a sync. Results are dropped."""
        assert self.lib.PQenterPipelineMode(self.c)
        syncs = 0
        for sql in statements:
            if sql is None:
                assert self.lib.PQpipelineSync(self.c)
                syncs += 1
            else:
                assert self.lib.PQsendQueryParams(self.c, sql.encode(), 0, None, None, None, None, 0)
        while syncs:
            result = self.lib.PQgetResult(self.c)
            if result is None:
                continue
            syncs -= self.lib.PQresultStatus(ctypes.c_void_p(result)) == 10
            self.lib.PQclear(ctypes.c_void_p(result))
        self.lib.PQexitPipelineMode(self.c)

    def copy_in(self, sql, data):
        """By the extended protocol, whose Sync goes ahead of the data."""
        result = ctypes.c_void_p(self.lib.PQexecParams(self.c, sql.encode(), 0, None, None, None, None, 0))
        self.lib.PQclear(result)
        assert self.lib.PQputCopyData(self.c, data, len(data)) == 1
        assert self.lib.PQputCopyEnd(self.c, None) == 1
        while (result := self.lib.PQgetResult(self.c)) is not None:
            self.lib.PQclear(ctypes.c_void_p(result))

    def close(self):
        self.lib.PQfinish(self.c)


class Bind(ctypes.Structure):
    """MYSQL_BIND of MariaDB's mysql.h."""
    _fields_ = [("length", ctypes.c_void_p), ("is_null", ctypes.c_void_p), ("buffer", ctypes.c_void_p),
                ("error", ctypes.c_void_p), ("indicator", ctypes.c_void_p), ("functions", ctypes.c_void_p * 3),
                ("buffer_length", ctypes.c_ulong), ("offset", ctypes.c_ulong), ("length_value", ctypes.c_ulong),
                ("flags", ctypes.c_uint), ("pack_length", ctypes.c_uint), ("buffer_type", ctypes.c_int),
                ("error_value", ctypes.c_char), ("is_unsigned", ctypes.c_char), ("long_data_used", ctypes.c_char),
                ("is_null_value", ctypes.c_char), ("extension", ctypes.c_void_p)]


class Time(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint) for name in ("year", "month", "day", "hour", "minute", "second")] + [
        ("second_part", ctypes.c_ulong), ("neg", ctypes.c_char), ("time_type", ctypes.c_int)]


TINY, LONG, DOUBLE, NULL, LONGLONG, DATE, TIME, DATETIME, BLOB, STRING = 1, 3, 5, 6, 8, 10, 11, 12, 252, 254
COMPRESS = 32
CURSOR_TYPE, PREFETCH = 1, 2
ARRAY_SIZE = 201


class Libmariadb:
    def __init__(self, port, flags=0, database=None):
        self.lib = ctypes.CDLL("libmariadb.so.3")
        for name in ("mysql_init", "mysql_stmt_init", "mysql_real_connect", "mysql_store_result"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.lib.mysql_error.restype = self.lib.mysql_stmt_error.restype = ctypes.c_char_p
        self.c = ctypes.c_void_p(self.lib.mysql_init(None))
        if flags & COMPRESS:
            self.lib.mysql_options(self.c, 1, None)
        if not self.lib.mysql_real_connect(self.c, b"127.0.0.1", b"root", None, database, port, None, ctypes.c_ulong(flags)):
            raise OSError(self.lib.mysql_error(self.c).decode())

    def query(self, sql):
        if self.lib.mysql_real_query(self.c, sql.encode(), ctypes.c_ulong(len(sql.encode()))):
            raise OSError(self.lib.mysql_error(self.c).decode())
        result = self.lib.mysql_store_result(self.c)
        if result:
            self.lib.mysql_free_result(ctypes.c_void_p(result))

    def prepare(self, sql):
        return Statement(self, sql)

    def change_user(self, database):
        assert self.lib.mysql_change_user(self.c, b"root", None, database) == 0

    def reset(self):
        assert self.lib.mysql_reset_connection(self.c) == 0

    def close(self):
        self.lib.mysql_close(self.c)


class Statement:
    def __init__(self, connection, sql):
        self.lib = connection.lib
        self.s = ctypes.c_void_p(self.lib.mysql_stmt_init(connection.c))
        if self.lib.mysql_stmt_prepare(self.s, sql.encode(), ctypes.c_ulong(len(sql.encode()))):
            raise OSError(self.lib.mysql_stmt_error(self.s).decode())

    def attribute(self, number, value):
        self.lib.mysql_stmt_attr_set(self.s, number, ctypes.byref(ctypes.c_ulong(value)))

    def bind(self, params):
        """params: (type, buffer as ctypes object or bytes or None, is_unsigned)."""
        self.kept = []
        self.binds = (Bind * len(params))()
        for bind, (kind, value, is_unsigned) in zip(self.binds, params):
            if isinstance(value, bytes):
                length = ctypes.c_ulong(len(value))
                value = ctypes.create_string_buffer(value, len(value) or 1)
                bind.length = ctypes.cast(ctypes.pointer(length), ctypes.c_void_p).value
                bind.buffer_length = length.value
                self.kept.append(length)
            bind.buffer_type = kind
            bind.is_unsigned = bytes([is_unsigned])
            if value is not None:
                bind.buffer = ctypes.cast(ctypes.pointer(value), ctypes.c_void_p).value
                self.kept.append(value)
        assert self.lib.mysql_stmt_bind_param(self.s, self.binds) == 0

    def bind_rows(self, rows):
        """Whole numbers, a row after the other, in one bulk execution; None: NULL."""
        self.attribute(ARRAY_SIZE, len(rows))
        self.binds = (Bind * len(rows[0]))()
        self.kept = []
        for bind, column in zip(self.binds, zip(*rows)):
            values = (ctypes.c_int * len(column))(*[value or 0 for value in column])
            indicators = (ctypes.c_char * len(column))(*[bytes([value is None]) for value in column])
            bind.buffer_type = LONG
            bind.buffer = ctypes.cast(values, ctypes.c_void_p).value
            bind.indicator = ctypes.cast(indicators, ctypes.c_void_p).value
            self.kept += [values, indicators]
        assert self.lib.mysql_stmt_bind_param(self.s, self.binds) == 0

    def long_data(self, param, data):
        assert self.lib.mysql_stmt_send_long_data(self.s, param, data, ctypes.c_ulong(len(data))) == 0

    def execute(self):
        """How many rows there were."""
        if self.lib.mysql_stmt_execute(self.s):
            raise OSError(self.lib.mysql_stmt_error(self.s).decode())
        rows = 0
        while self.lib.mysql_stmt_field_count(self.s) and self.lib.mysql_stmt_fetch(self.s) in (0, 101):
            rows += 1
        self.lib.mysql_stmt_free_result(self.s)
        return rows

    def close(self):
        self.lib.mysql_stmt_close(self.s)


def be(form, *values):
    return struct.pack(">" + form, *values)
