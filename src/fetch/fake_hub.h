// A hub on loopback for tests: answers what the test says, with faults: breaks, stalls, wrong
// lengths, wrong parts. Threads: the test's handler is called by one at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/digest.h"

namespace hadal {

struct HubRequest {
  std::string path;                            // with its query
  std::map<std::string, std::string> headers;  // names in lower case

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct HubReply {
  int status = 200;
  std::string body = {};
  std::vector<std::string> headers = {};            // "ETag: \"x\""
  std::optional<std::size_t> announced_bytes = {};  // Content-Length, where it is not the body's
  bool stall = false;  // after the body: says nothing further, until the client goes
};

class FakeHub {
 public:
  using Handler = std::function<HubReply(const HubRequest&)>;

  explicit FakeHub(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 64);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~FakeHub() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int client : clients_) ::close(client);
  }
  FakeHub(const FakeHub&) = delete;
  FakeHub& operator=(const FakeHub&) = delete;

  std::string url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_);
  }
  // What was asked so far, in order.
  std::vector<HubRequest> requests() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }
  std::size_t CountOf(const std::string& part_of_path) {
    std::size_t count = 0;
    for (const HubRequest& request : requests())
      count += request.path.find(part_of_path) != std::string::npos;
    return count;
  }

 private:
  void Accept() {
    for (int client = -1; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      const std::lock_guard<std::mutex> lock(mutex_);
      clients_.push_back(client);
      threads_.emplace_back([this, client] { Serve(client); });
    }
  }

  // One request a connection.
  void Serve(int client) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(client, buffer, sizeof(buffer), 0);
      if (got <= 0) return;
      head.append(buffer, static_cast<std::size_t>(got));
    }
    HubReply reply;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      requests_.push_back(Parse(head));
      reply = handler_(requests_.back());
    }
    std::string text =
        "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\nConnection: close\r\n";
    for (const std::string& header : reply.headers) text += header + "\r\n";
    text += "Content-Length: " + std::to_string(reply.announced_bytes.value_or(reply.body.size())) +
            "\r\n\r\n";
    Send(client, text + reply.body);
    if (!reply.stall) ::shutdown(client, SHUT_WR);
    // The client closes: at the answer's end, or when it has waited long enough.
    while (::recv(client, buffer, sizeof(buffer), 0) > 0) {
    }
    ::shutdown(client, SHUT_RDWR);
  }

  static void Send(int client, std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  static HubRequest Parse(const std::string& head) {
    HubRequest request;
    const std::size_t begin = head.find(' ') + 1;
    request.path = head.substr(begin, head.find(' ', begin) - begin);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t end = head.find("\r\n", at), colon = head.find(": ", at);
      if (end == at || colon == std::string::npos || colon > end) break;
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    return request;
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  std::thread accepting_;
  std::mutex mutex_;
  std::vector<int> clients_;
  std::vector<std::thread> threads_;
  std::vector<HubRequest> requests_;
};

// A repository as a hub shows it: large files by SHA-256, small ones by git's name of them.
struct FakeRepository {
  std::map<std::string, std::string> files;

  static std::string Git(const std::string& content) {
    DigestStream digest(DigestStream::Kind::kSha1);
    digest.Add("blob " + std::to_string(content.size()) + std::string(1, '\0') + content);
    return digest.Finish();
  }
  static bool IsLarge(const std::string& path) {
    return path.ends_with(".safetensors") || path.ends_with(".gguf");
  }
  static std::string Entry(const std::string& path, const std::string& content) {
    const std::string size = std::to_string(content.size());
    std::string entry = R"({"type":"file","oid":")" + Git(content) + R"(","size":)" + size +
                        R"(,"path":")" + path + "\"";
    if (IsLarge(path))
      entry += R"(,"lfs":{"oid":")" + Hex(Sha256Digest(content)) + R"(","size":)" + size + "}";
    return entry + "}";
  }
  std::string List() const {
    std::string list = R"([{"type":"directory","oid":"","size":0,"path":"encoding"})";
    for (const auto& [path, content] : files) list += "," + Entry(path, content);
    return list + "]";
  }
  // A file's answer, whole or from where a Range asks for it.
  static HubReply Content(const HubRequest& request, const std::string& content) {
    const std::string tag = "\"" + Git(content) + "\"";
    const std::string range = request.Header("range"), condition = request.Header("if-range");
    if (range.empty() || (!condition.empty() && condition != tag))
      return {.body = content, .headers = {"ETag: " + tag}};
    const std::size_t from = std::stoul(range.substr(range.find('=') + 1));
    if (from >= content.size()) return {.status = 416};
    const std::string size = std::to_string(content.size());
    return {.status = 206,
            .body = content.substr(from),
            .headers = {"ETag: " + tag, "Content-Range: bytes " + std::to_string(from) + "-" +
                                            std::to_string(content.size() - 1) + "/" + size}};
  }
  HubReply Answer(const HubRequest& request) const {
    constexpr std::string_view kFiles = "/resolve/main/";
    const std::size_t at = request.path.find(kFiles);
    if (at == std::string::npos)
      return request.path == "/api/models/some/model/tree/main?recursive=true"
                 ? HubReply{.body = List()}
                 : HubReply{.status = 404};
    const auto file = files.find(request.path.substr(at + kFiles.size()));
    return file == files.end() ? HubReply{.status = 404} : Content(request, file->second);
  }
};

}  // namespace hadal
