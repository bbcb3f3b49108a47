#include "serve/sqlite.h"

namespace hadal {

Status SqliteFailure(sqlite3* database, const std::string& path) {
  return Unusable(path, database == nullptr ? "no memory" : sqlite3_errmsg(database),
                  "a ledger in a folder that can be written to",
                  "name another file (--ledger), or move this one away");
}

Result<SqliteDatabase> OpenSqlite(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  SqliteDatabase database(opened);
  if (code != SQLITE_OK) return SqliteFailure(opened, path);
  // Another process that reads or writes is waited for.
  sqlite3_busy_timeout(opened, 5000);
  return database;
}

Status RunSqlite(sqlite3* database, const std::string& path, const char* statements) {
  if (sqlite3_exec(database, statements, nullptr, nullptr, nullptr) != SQLITE_OK)
    return SqliteFailure(database, path);
  return {};
}

Result<SqliteStatement> PrepareSqlite(sqlite3* database, const std::string& path,
                                      const char* statement) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, statement, -1, &prepared, nullptr) != SQLITE_OK)
    return SqliteFailure(database, path);
  return SqliteStatement(prepared);
}

}  // namespace hadal
