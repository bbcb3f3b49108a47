#include "serve/ledger.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/energy.h"
#include "base/unix_time.h"
#include "serve/sqlite.h"

namespace hadal {
namespace {

constexpr int kApplicationId = 0x4841444c;  // "HADL"
constexpr int kVersion = 1;
// More records than this waiting: the disk does not keep up, and the newest are dropped.
constexpr std::size_t kMostWaiting = 65536;

constexpr const char* kMakeTable = R"(
  CREATE TABLE IF NOT EXISTS calls (
    time_ms INTEGER NOT NULL, request_id TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL,
    path TEXT NOT NULL, outcome TEXT NOT NULL, prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, generated_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL, seconds REAL NOT NULL, first_token_seconds REAL,
    joules REAL);
  CREATE INDEX IF NOT EXISTS calls_by_time ON calls (time_ms);)";
constexpr const char* kInsert =
    "INSERT INTO calls VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
constexpr const char* kTotals =
    "SELECT key, model, count(*), sum(prompt_tokens), sum(cached_tokens), sum(generated_tokens), "
    "sum(seconds), sum(joules) FROM calls WHERE time_ms >= ?1 GROUP BY key, model "
    "ORDER BY key, model";

Result<std::int64_t> ReadPragma(sqlite3* database, const std::string& path, const char* pragma) {
  HADAL_ASSIGN_OR_RETURN(SqliteStatement statement, PrepareSqlite(database, path, pragma));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return SqliteFailure(database, path);
  return sqlite3_column_int64(statement.get(), 0);
}

// `empty`: whether the file may be a new one.
Status CheckFile(sqlite3* database, const std::string& path, bool empty) {
  HADAL_ASSIGN_OR_RETURN(const std::int64_t id,
                         ReadPragma(database, path, "PRAGMA application_id"));
  HADAL_ASSIGN_OR_RETURN(const std::int64_t version,
                         ReadPragma(database, path, "PRAGMA user_version"));
  HADAL_ASSIGN_OR_RETURN(const std::int64_t tables,
                         ReadPragma(database, path, "SELECT count(*) FROM sqlite_master"));
  if (empty && id == 0 && version == 0 && tables == 0) return {};
  if (id == kApplicationId && version == kVersion) return {};
  return Unusable(path,
                  id == kApplicationId ? "version " + std::to_string(version) : "another file",
                  "a ledger of version " + std::to_string(kVersion),
                  "name another file (--ledger), or move this one away");
}

void BindText(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

bool Insert(sqlite3_stmt* statement, const LedgerEntry& entry) {
  sqlite3_bind_int64(statement, 1, entry.time_milliseconds);
  BindText(statement, 2, entry.request_id);
  BindText(statement, 3, entry.key);
  BindText(statement, 4, entry.model);
  BindText(statement, 5, entry.path);
  BindText(statement, 6, entry.outcome);
  sqlite3_bind_int64(statement, 7, entry.prompt_tokens);
  sqlite3_bind_int64(statement, 8, entry.cached_tokens);
  sqlite3_bind_int64(statement, 9, entry.generated_tokens);
  sqlite3_bind_int64(statement, 10, entry.reasoning_tokens);
  sqlite3_bind_double(statement, 11, entry.seconds);
  if (entry.first_token_seconds >= 0) sqlite3_bind_double(statement, 12, entry.first_token_seconds);
  if (entry.joules) sqlite3_bind_double(statement, 13, *entry.joules);
  const bool done = sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return done;
}

LedgerEntry EntryOf(const CallRecord& record) {
  LedgerEntry entry;
  entry.time_milliseconds = UnixMilliseconds();
  entry.request_id = record.request_id;
  entry.key = record.key;
  entry.model = record.model;
  entry.path = record.path;
  if (record.cancelled)
    entry.outcome = Name(FinishReason::kCancelled);
  else if (record.failed)
    entry.outcome = record.error_code.empty() ? "failed" : record.error_code;
  else if (!record.finish_reasons.empty())
    entry.outcome = Name(record.finish_reasons.back());
  entry.prompt_tokens = record.usage.prompt_tokens;
  entry.cached_tokens = record.usage.cached_tokens;
  entry.generated_tokens = record.usage.generated_tokens;
  entry.reasoning_tokens = record.reasoning_tokens;
  entry.seconds = record.total_seconds;
  entry.first_token_seconds = record.first_token_seconds;
  return entry;
}

}  // namespace

struct Ledger::Impl {
  Impl(SqliteDatabase opened, SqliteStatement prepared)
      : database(std::move(opened)),
        insert(std::move(prepared)),
        energy([this] { return meter.Joules(); }),
        writer([this] { Write(); }) {}
  ~Impl() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      stop = true;
    }
    wake.notify_all();
    writer.join();
  }

  void Write() {
    std::unique_lock<std::mutex> lock(mutex);
    while (true) {
      wake.wait(lock, [this] { return stop || !waiting.empty(); });
      if (waiting.empty()) return;
      std::deque<LedgerEntry> batch;
      batch.swap(waiting);
      lock.unlock();
      const std::int64_t lost = WriteBatch(batch);
      lock.lock();
      lost_count += lost;
      done += static_cast<std::int64_t>(batch.size());
      wake.notify_all();
    }
  }

  // How many records could not be written.
  std::int64_t WriteBatch(const std::deque<LedgerEntry>& batch) {
    sqlite3* const handle = database.get();
    if (!RunSqlite(handle, "", "BEGIN").ok()) return std::ssize(batch);
    std::int64_t failed = 0;
    for (const LedgerEntry& entry : batch) failed += !Insert(insert.get(), entry);
    if (RunSqlite(handle, "", "COMMIT").ok()) return failed;
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
    return std::ssize(batch);
  }

  SqliteDatabase database;
  SqliteStatement insert;  // after the database: it goes first
  EnergyMeter meter;
  EnergyShare energy;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<LedgerEntry> waiting;
  std::int64_t added = 0, done = 0, lost_count = 0;
  bool stop = false;
  std::thread writer;  // last: it uses everything above
};

Result<std::shared_ptr<Ledger>> Ledger::Open(const std::string& path) {
  // The default place is a folder that nothing else may have made yet.
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  HADAL_ASSIGN_OR_RETURN(
      SqliteDatabase database,
      OpenSqlite(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX));
  HADAL_RETURN_IF_ERROR(CheckFile(database.get(), path, true));
  // The write-ahead log lets others read meanwhile; NORMAL loses at most the last moments when the
  // power goes, and nothing when the process dies.
  HADAL_RETURN_IF_ERROR(
      RunSqlite(database.get(), path, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"));
  HADAL_RETURN_IF_ERROR(RunSqlite(database.get(), path, kMakeTable));
  HADAL_RETURN_IF_ERROR(RunSqlite(database.get(), path,
                                  ("PRAGMA application_id = " + std::to_string(kApplicationId) +
                                   "; PRAGMA user_version = " + std::to_string(kVersion))
                                      .c_str()));
  HADAL_ASSIGN_OR_RETURN(SqliteStatement insert, PrepareSqlite(database.get(), path, kInsert));
  return std::make_shared<Ledger>(std::make_unique<Impl>(std::move(database), std::move(insert)));
}

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() = default;

void Ledger::Started(const CallRecord& record) { impl_->energy.Begin(record.request_id); }

void Ledger::Ended(const CallRecord& record) {
  LedgerEntry entry = EntryOf(record);
  entry.joules = impl_->energy.End(record.request_id);
  Add(std::move(entry));
}

void Ledger::Add(LedgerEntry entry) {
  {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    if (impl_->waiting.size() >= kMostWaiting) {
      ++impl_->lost_count;
      return;
    }
    ++impl_->added;
    impl_->waiting.push_back(std::move(entry));
  }
  impl_->wake.notify_all();
}

void Ledger::Flush() {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  impl_->wake.wait(lock, [this, target = impl_->added] { return impl_->done >= target; });
}

std::int64_t Ledger::dropped() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->lost_count;
}

Result<std::vector<LedgerTotal>> Ledger::Totals(const std::string& path,
                                                std::int64_t since_milliseconds) {
  HADAL_ASSIGN_OR_RETURN(SqliteDatabase database, OpenSqlite(path, SQLITE_OPEN_READWRITE));
  HADAL_RETURN_IF_ERROR(CheckFile(database.get(), path, false));
  HADAL_ASSIGN_OR_RETURN(SqliteStatement statement, PrepareSqlite(database.get(), path, kTotals));
  sqlite3_bind_int64(statement.get(), 1, since_milliseconds);
  const auto text = [&statement](int column) {
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column)),
                       static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column)));
  };
  std::vector<LedgerTotal> totals;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    sqlite3_stmt* const row = statement.get();
    LedgerTotal total{text(0),
                      text(1),
                      sqlite3_column_int64(row, 2),
                      sqlite3_column_int64(row, 3),
                      sqlite3_column_int64(row, 4),
                      sqlite3_column_int64(row, 5),
                      sqlite3_column_double(row, 6),
                      {}};
    if (sqlite3_column_type(row, 7) != SQLITE_NULL) total.joules = sqlite3_column_double(row, 7);
    totals.push_back(std::move(total));
  }
  if (code != SQLITE_DONE) return SqliteFailure(database.get(), path);
  return totals;
}

}  // namespace hadal
