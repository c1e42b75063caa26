/* Every SQL statement of the driver; parameters are bound in the order of their numbers. */
#include "store/sqlite/statements.h"

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

#include "store/limits.h"

static const char *const sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",

    [STATEMENT_ACCOUNT_PUT] =
        "INSERT INTO account (aor, name, extra, md5_user, md5_user_domain, sha256_user, sha256_user_domain,"
        " sha512_256_user, sha512_256_user_domain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (aor) DO UPDATE SET name = ?2, extra = ?3, md5_user = ?4, md5_user_domain = ?5,"
        " sha256_user = ?6, sha256_user_domain = ?7, sha512_256_user = ?8, sha512_256_user_domain = ?9"
        " RETURNING id",
    [STATEMENT_ACCOUNT_DELETE] = "DELETE FROM account WHERE id = ?1",
    [STATEMENT_OWNER_PUT] = "INSERT OR IGNORE INTO owner (account, node, epoch) VALUES (?1, 1, 1)",
    [STATEMENT_OWNER_HAS] = "SELECT 1 FROM owner WHERE account = ?1",
    [STATEMENT_OWNER_DELETE] = "DELETE FROM owner WHERE account = ?1",
    [STATEMENT_DEVICES_DELETE] = "DELETE FROM device WHERE account = ?1",
    [STATEMENT_BINDINGS_DELETE] = "DELETE FROM binding WHERE account = ?1",
    [STATEMENT_EXCEPTIONS_DELETE] = "DELETE FROM exception WHERE account = ?1",

    [STATEMENT_DEVICE_PUT] =
        "INSERT INTO device (account, number, position, seen_ms, has_instance, key, features)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT (account, number) DO UPDATE SET position = max(position, ?3), seen_ms = ?4, has_instance = ?5,"
        " key = ?6, features = ?7",
    [STATEMENT_DEVICE_DELETE] = "DELETE FROM device WHERE account = ?1 AND number = ?2",
    [STATEMENT_DEVICE_BINDINGS_DELETE] = "DELETE FROM binding WHERE account = ?1 AND device = ?2",
    [STATEMENT_DEVICE_EXCEPTIONS_DELETE] = "DELETE FROM exception WHERE account = ?1 AND device = ?2",
    [STATEMENT_BINDING_PUT] =
        "INSERT INTO binding (account, contact, call_id, device, node, epoch, cseq, q, registered_ms, expires_ms,"
        " params, path, user_agent, allow, transport, local, remote, behind_nat)"
        " VALUES (?1, ?2, ?3, ?4, 1, 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        " ON CONFLICT (account, contact, call_id) DO UPDATE SET device = ?4, cseq = ?5, q = ?6, registered_ms = ?7,"
        " expires_ms = ?8, params = ?9, path = ?10, user_agent = ?11, allow = ?12, transport = ?13, local = ?14,"
        " remote = ?15, behind_nat = ?16",
    [STATEMENT_BINDING_DELETE] = "DELETE FROM binding WHERE account = ?1 AND contact = ?2 AND call_id = ?3",

    [STATEMENT_APPEND] = "INSERT INTO journal (id, account, kind, answer, accepted_ms, expires_ms, size, duplicate_key,"
                         " sender, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [STATEMENT_POSITION_GET] = "SELECT position FROM device WHERE account = ?1 AND number = ?2",
    [STATEMENT_POSITION_SET] = "UPDATE device SET position = ?3 WHERE account = ?1 AND number = ?2",
    [STATEMENT_HEIR_POSITION_SET] =
        "INSERT INTO device (account, number, position, seen_ms, has_instance, key, features)"
        " VALUES (?1, 0, ?2, 0, 0, '', '') ON CONFLICT (account, number) DO UPDATE SET position = ?2",
    /* ?3 is the old position, ?4 the new one, ?5 whether the entry at the new one was delivered. */
    [STATEMENT_EXCEPTIONS_PASSED] =
        "DELETE FROM exception WHERE account = ?1 AND device = ?2 AND seq > ?3 AND seq <= ?4"
        " AND (state = 1 OR (?5 AND seq = ?4))",
    [STATEMENT_EXCEPTION_PUT] =
        "INSERT INTO exception (account, device, seq, state, status) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (account, device, seq) DO UPDATE SET state = ?4, status = ?5",
    [STATEMENT_EXCEPTION_DELETE] = "DELETE FROM exception WHERE account = ?1 AND device = ?2 AND seq = ?3",
    [STATEMENT_READ] =
        "SELECT accepted_ms, expires_ms, sender, headers, body FROM journal WHERE id = ?1 AND account = ?2",

    [STATEMENT_LOAD_ACCOUNTS] =
        "SELECT id, aor, name, extra, md5_user, md5_user_domain, sha256_user, sha256_user_domain, sha512_256_user,"
        " sha512_256_user_domain FROM account ORDER BY id",
    [STATEMENT_LOAD_DEVICES] =
        "SELECT account, number, position, seen_ms, has_instance, key, features FROM device ORDER BY account, number",
    [STATEMENT_LOAD_BINDINGS] =
        "SELECT account, contact, call_id, device, cseq, q, registered_ms, expires_ms, params, path, user_agent, allow,"
        " transport, local, remote, behind_nat FROM binding ORDER BY account, contact, call_id",
    [STATEMENT_LOAD_EXCEPTIONS] =
        "SELECT account, device, seq, state, status FROM exception ORDER BY account, device, seq",
    [STATEMENT_LOAD_ENTRIES] =
        "SELECT id, account, kind, answer, accepted_ms, expires_ms, size, duplicate_key, sender FROM journal"
        " WHERE EXISTS (SELECT 1 FROM owner WHERE owner.account = journal.account) ORDER BY id",

    [STATEMENT_SECRET_GET] = "SELECT value FROM secret WHERE name = ?1",
    [STATEMENT_SECRET_PUT] = "INSERT INTO secret (name, value) VALUES (?1, ?2)",
    [STATEMENT_COUNTER_GET] = "SELECT value FROM counter WHERE name = ?1",
    [STATEMENT_COUNTER_SET] =
        "INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
    [STATEMENT_COUNTER_RAISE] = "UPDATE counter SET value = ?2 WHERE name = ?1 AND value < ?2",
    [STATEMENT_JOURNAL_LAST] = "SELECT coalesce(max(id), 0) FROM journal",
    [STATEMENT_JOURNAL_UNDO] = "DELETE FROM journal WHERE id > ?1",

    [STATEMENT_SWEEP_SCAN] = "SELECT id, account, accepted_ms, expires_ms FROM journal WHERE id > ?1 ORDER BY id"
                             " LIMIT " TEXT_OF(STORE_LIMIT_SWEEP_ROWS),
    /* Entry ?2 of account ?1 is owed to a device when it lies behind the device's position and no exception ends it, or
     * before it and an exception of state 0 says that it is owed again. The heir is there without a row. */
    [STATEMENT_SWEEP_IS_OWED] =
        "SELECT 1 FROM (SELECT number, position FROM device WHERE account = ?1 UNION ALL"
        " SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM device WHERE account = ?1 AND number = 0)) AS d"
        " LEFT JOIN exception AS e ON e.account = ?1 AND e.device = d.number AND e.seq = ?2"
        " WHERE CASE WHEN ?2 <= d.position THEN e.state IS 0 ELSE coalesce(e.state, 0) = 0 END LIMIT 1",
    [STATEMENT_SWEEP_DELETE] = "DELETE FROM journal WHERE id = ?1",
    [STATEMENT_SWEEP_EXCEPTIONS] =
        "SELECT e.account, e.device, e.seq, EXISTS (SELECT 1 FROM journal WHERE id = e.seq) FROM exception AS e"
        " WHERE (e.account, e.device, e.seq) > (?1, ?2, ?3) ORDER BY e.account, e.device, e.seq"
        " LIMIT " TEXT_OF(STORE_LIMIT_SWEEP_ROWS),
    [STATEMENT_FREE_PAGES] = "PRAGMA freelist_count",
    [STATEMENT_VACUUM] = "PRAGMA incremental_vacuum(" TEXT_OF(STORE_LIMIT_VACUUM_PAGES) ")",
};

const char *statements_sql(enum statement s)
{
    return sql[s];
}
