// One file from a hub to the disk: begun, gone on with, and checked. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "fetch/file_list.h"
#include "fetch/growing_file.h"
#include "fetch/hub_client.h"

namespace hadal {

// Where a file grows, and the note beside it that says what it is a part of.
struct FilePlace {
  std::string url, path, note_path;
};

// How many bytes of the file are there, to go on with: none where the note names another content
// or length than the hub's list does now. What cannot be gone on with is emptied.
Result<std::uint64_t> KeptBytes(const FilePlace& place, const HubFile& file);

// Fetches what is missing of it, from where it broke off: by Range, and If-Range where the server
// has named this content by a strong ETag; from its beginning where the server names another now.
// The length must be the list's. Says after every piece how many bytes there are. The file is on
// disk afterwards, and nothing is known of its content: CheckFile.
Status FetchFile(HubClient* client, const FilePlace& place, const HubFile& file,
                 const RetryOptions& retry, const std::function<void(std::uint64_t)>& on_bytes);

// The whole file against the list's checksum, from its first byte on, whoever wrote it and when.
// kCancelled where `cancelled` says so.
Result<bool> CheckFile(const std::string& path, const HubFile& file,
                       const std::function<bool()>& cancelled,
                       const std::function<void(std::uint64_t)>& on_bytes);

}  // namespace hadal
