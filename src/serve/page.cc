#include "serve/page.h"

#include <zlib.h>

#include "base/digest.h"
#include "serve/api_error.h"

namespace hadal {
namespace {

constexpr char kPolicy[] =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'";

struct TypeRow {
  std::string_view ending, type;
  bool text;
};
constexpr TypeRow kTypes[] = {
    {".html", "text/html; charset=utf-8", true},
    {".js", "text/javascript; charset=utf-8", true},
    {".css", "text/css; charset=utf-8", true},
    {".svg", "image/svg+xml", true},
    {".json", "application/json", true},
    {".webmanifest", "application/manifest+json", true},
    {".txt", "text/plain; charset=utf-8", true},
    {".woff2", "font/woff2", false},
    {".png", "image/png", false},
    {".ico", "image/x-icon", false},
};

const TypeRow* TypeOf(std::string_view path) {
  for (const TypeRow& row : kTypes)
    if (path.ends_with(row.ending)) return &row;
  return nullptr;
}

// Empty where it would not be smaller.
std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzip = 16;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip + MAX_WBITS, MAX_MEM_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(bytes.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib's way
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool fits = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(fits ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

// Quoted, as the header wants it.
std::string TagOf(std::string_view bytes) {
  return "\"" + Hex(Sha256Digest(bytes)).substr(0, 32) + "\"";
}

bool TakesGzip(const HttpRequest& request) {
  const std::string_view accepted = request.headers.Find("Accept-Encoding");
  const std::size_t at = accepted.find("gzip");
  return at != accepted.npos && !accepted.substr(at).starts_with("gzip;q=0,") &&
         accepted.substr(at) != "gzip;q=0";
}

}  // namespace

Page::Page(std::span<const WebFile> files) {
  for (const WebFile& file : files) {
    const TypeRow* row = TypeOf(file.path);
    File made{.type = row != nullptr ? row->type : "application/octet-stream", .bytes = file.bytes};
    if (row != nullptr && row->text) made.gzip = Gzip(file.bytes);
    made.tag = TagOf(file.bytes);
    made.lasting = file.path.starts_with("/assets/");
    files_.emplace(file.path, std::move(made));
  }
}

HttpResponse Page::Answer(std::string_view path, const HttpRequest& request) const {
  const auto found = files_.find(path);
  if (found == files_.end())
    return ErrorResponse({.kind = ErrorKind::kNotFound,
                          .message = "nothing lives at this path",
                          .code = "not_found"},
                         request);
  const File& file = found->second;
  HttpResponse response;
  response.headers = {
      {"Content-Type", std::string(file.type)},
      {"ETag", file.tag},
      {"Cache-Control", file.lasting ? "public, max-age=31536000, immutable" : "no-cache"},
      {"Content-Security-Policy", kPolicy},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Vary", "Accept-Encoding"}};
  if (request.headers.Find("If-None-Match").find(file.tag) != std::string_view::npos) {
    response.status = 304;
  } else if (!file.gzip.empty() && TakesGzip(request)) {
    response.headers.Add("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = std::string(file.bytes);
  }
  return response;
}

}  // namespace hadal
