// The little of SQLite that the ledger needs: a database and statements that close themselves.
// Thread-compatible. Private to the room.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace hadal {

struct SqliteClose {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteDatabase = std::unique_ptr<sqlite3, SqliteClose>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, SqliteClose>;

// `flags` are those of sqlite3_open_v2.
Result<SqliteDatabase> OpenSqlite(const std::string& path, int flags);
// Runs statements that return no rows.
Status RunSqlite(sqlite3* database, const std::string& path, const char* statements);
Result<SqliteStatement> PrepareSqlite(sqlite3* database, const std::string& path,
                                      const char* statement);
Status SqliteFailure(sqlite3* database, const std::string& path);

}  // namespace hadal
