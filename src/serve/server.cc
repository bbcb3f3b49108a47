#include "serve/server.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <map>
#include <thread>
#include <vector>

#include "serve/connection.h"
#include "serve/pull_desk.h"
#include "serve/tls_context.h"

namespace hadal {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

namespace {

// A descriptor held back, so that a connection can be taken and told off when there are no others.
class ReserveDescriptor {
 public:
  ReserveDescriptor() { Take(); }
  ~ReserveDescriptor() { Release(); }
  void Take() {
    if (fd_ < 0) fd_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  void Release() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

constexpr char kBusy[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    "Content-Length: 105\r\nConnection: close\r\n\r\n"
    "{\"error\":{\"message\":\"too many "
    "connections\",\"type\":\"unavailable_error\",\"param\":null,"
    "\"code\":\"overloaded\"}}\n";

// What a client that is turned away hears. What it has sent is read first: closing with bytes
// unread would reset the connection, and the answer could be lost.
void TurnAway(tcp::socket socket) {
  Error error;
  socket.non_blocking(true, error);
  std::array<char, 4096> unread{};
  for (int i = 0; i < 16 && !error; ++i) socket.receive(asio::buffer(unread), 0, error);
  error = {};
  socket.send(asio::buffer(kBusy, sizeof(kBusy) - 1), 0, error);
  socket.shutdown(tcp::socket::shutdown_send, error);
}

Result<std::vector<tcp::endpoint>> EndpointsOf(asio::io_context& io, const ServerOptions& options) {
  const auto port = static_cast<unsigned short>(options.port);
  if (options.host == "localhost")
    return std::vector<tcp::endpoint>{{asio::ip::address_v4::loopback(), port},
                                      {asio::ip::address_v6::loopback(), port}};
  Error error;
  const auto address = asio::ip::make_address(options.host, error);
  if (!error) return std::vector<tcp::endpoint>{{address, port}};
  tcp::resolver resolver(io);
  std::vector<tcp::endpoint> endpoints;
  for (const auto& found : resolver.resolve(options.host, std::to_string(port), error))
    endpoints.push_back(found.endpoint());
  if (error || endpoints.empty())
    return UsageError("--host", options.host + ": " + error.message(),
                      "an address or a name of this machine",
                      "use localhost, or an address of `ip addr`");
  return endpoints;
}

Status CheckOpen(const std::vector<tcp::endpoint>& endpoints, const ServerOptions& options,
                 const KeyRing& keys) {
  const bool loopback = std::all_of(endpoints.begin(), endpoints.end(),
                                    [](const auto& e) { return e.address().is_loopback(); });
  if (loopback || keys.in_force() || options.allow_without_key) return {};
  return UsageError("--host", options.host + " without a key",
                    "a key where others can reach the server: anybody could use this machine",
                    "give --api-key-file FILE, stay on localhost, or say --insecure-no-auth");
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& given, std::shared_ptr<const Router> router,
       std::shared_ptr<Service> service, std::shared_ptr<KeyRing> keys)
      : options(given),
        io(given.network_threads),
        workers(static_cast<std::size_t>(given.worker_threads)) {
    context->limits = options.limits;
    context->gate = std::make_shared<Gate>(options.gate, std::move(router), std::move(keys));
    context->service = std::move(service);
    context->workers = &workers;
  }

  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(asio::make_strand(io)), pause(io) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  Status Listen(tcp::endpoint endpoint, bool optional);
  void Accept(const std::shared_ptr<Listener>& listener);
  void Take(tcp::socket socket);
  bool MakeRoom(const std::string& address);
  void Remove(Connection* connection);
  void CloseListeners();
  std::vector<std::shared_ptr<Connection>> Living();
  bool WaitUntilEmpty(double seconds);

  const ServerOptions options;
  asio::io_context io;
  asio::thread_pool workers;
  std::shared_ptr<ConnectionContext> context = std::make_shared<ConnectionContext>();
  std::vector<std::shared_ptr<Listener>> listeners;
  ReserveDescriptor reserve;
  int port = 0;

  std::mutex mutex;  // guards what follows
  std::condition_variable emptied;
  std::map<Connection*, std::weak_ptr<Connection>> connections;
  std::map<std::string, int> by_address;
  std::shared_ptr<asio::ssl::context> tls;

  std::vector<std::thread> threads;
};

Status Server::Impl::Listen(tcp::endpoint endpoint, bool optional) {
  if (port != 0) endpoint.port(static_cast<unsigned short>(port));
  const auto listener = std::make_shared<Listener>(io);
  Error error;
  const auto attempt = [&](auto&& step) {
    if (!error) step();
  };
  listener->acceptor.open(endpoint.protocol(), error);
  attempt([&] { listener->acceptor.set_option(tcp::acceptor::reuse_address(true), error); });
  if (endpoint.address().is_v6())
    attempt([&] { listener->acceptor.set_option(asio::ip::v6_only(true), error); });
  attempt([&] { listener->acceptor.bind(endpoint, error); });
  attempt([&] { listener->acceptor.listen(asio::socket_base::max_listen_connections, error); });
  attempt([&] { listener->acceptor.non_blocking(true, error); });
  if (error && optional) return {};
  if (error)
    return Failed(endpoint.address().to_string() + ":" + std::to_string(endpoint.port()),
                  error.message(), "a free port of this machine",
                  "is another server running? choose another with --port");
  port = listener->acceptor.local_endpoint().port();
  listeners.push_back(listener);
  return {};
}

void Server::Impl::Accept(const std::shared_ptr<Listener>& listener) {
  listener->acceptor.async_accept(asio::make_strand(io),
                                  [this, listener](Error error, tcp::socket socket) {
                                    if (!listener->acceptor.is_open()) return;
                                    if (!error) {
                                      Take(std::move(socket));
                                      return Accept(listener);
                                    }
                                    // No descriptor left: the client in front is told off with the
                                    // one held back. Then a pause, since the next one would fare
                                    // the same.
                                    if (error == asio::error::no_descriptors) {
                                      reserve.Release();
                                      Error refused;
                                      tcp::socket turned_away = listener->acceptor.accept(refused);
                                      if (!refused) turned_away.close(refused);
                                      reserve.Take();
                                    }
                                    listener->pause.expires_after(std::chrono::milliseconds(20));
                                    listener->pause.async_wait([this, listener](Error stopped) {
                                      if (!stopped && listener->acceptor.is_open())
                                        Accept(listener);
                                    });
                                  });
}

// Whether there is room for one more; where not, the connection that has waited longest for a
// request is closed for it, so that clients who hold connections cannot lock others out.
bool Server::Impl::MakeRoom(const std::string& address) {
  const HttpLimits& limits = options.limits;
  std::shared_ptr<Connection> oldest;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const bool all_full = static_cast<int>(connections.size()) >= limits.connections;
    const bool address_full = by_address[address] >= limits.connections_per_address;
    if (!all_full && !address_full) return true;
    const auto held = std::chrono::duration_cast<Connection::Clock::duration>(
        std::chrono::duration<double>(limits.held_seconds));
    const auto latest = (Connection::Clock::now() - held).time_since_epoch().count();
    for (const auto& [at, weak] : connections) {
      const auto connection = weak.lock();
      if (connection == nullptr || !connection->idle()) continue;
      if (connection->idle_since() > latest) continue;
      if (address_full && connection->remote() != address) continue;
      if (oldest == nullptr || connection->idle_since() < oldest->idle_since()) oldest = connection;
    }
    if (oldest == nullptr) return false;
    // It counts no more, though its end is still to come.
    if (connections.erase(oldest.get()) > 0 && --by_address[oldest->remote()] <= 0)
      by_address.erase(oldest->remote());
  }
  oldest->Kill();
  return true;
}

void Server::Impl::Take(tcp::socket socket) {
  Error error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  const std::string address = peer.address().to_string();
  if (context->draining || !MakeRoom(address)) return TurnAway(std::move(socket));
  socket.set_option(tcp::no_delay(true), error);
  const asio::any_io_executor strand = socket.get_executor();
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    auto transport =
        tls != nullptr ? TlsTransport(std::move(socket), tls) : PlainTransport(std::move(socket));
    const auto place = std::make_shared<Connection*>();
    connection = std::make_shared<Connection>(strand, std::move(transport), address, tls != nullptr,
                                              context, [this, place] { Remove(*place); });
    *place = connection.get();
    connections.emplace(connection.get(), connection);
    ++by_address[address];
  }
  connection->Start();
}

void Server::Impl::Remove(Connection* connection) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto count = by_address.find(connection->remote());
  if (connections.erase(connection) > 0 && count != by_address.end() && --count->second <= 0)
    by_address.erase(count);
  if (connections.empty()) emptied.notify_all();
}

void Server::Impl::CloseListeners() {
  for (const auto& listener : listeners)
    asio::post(listener->acceptor.get_executor(), [listener] {
      Error ignored;
      listener->acceptor.close(ignored);
      listener->pause.cancel();
    });
}

std::vector<std::shared_ptr<Connection>> Server::Impl::Living() {
  std::vector<std::shared_ptr<Connection>> living;
  const std::lock_guard<std::mutex> lock(mutex);
  for (const auto& [at, weak] : connections)
    if (auto connection = weak.lock()) living.push_back(std::move(connection));
  return living;
}

bool Server::Impl::WaitUntilEmpty(double seconds) {
  std::unique_lock<std::mutex> lock(mutex);
  return emptied.wait_for(lock, std::chrono::duration<double>(seconds),
                          [this] { return connections.empty(); });
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              std::shared_ptr<const Router> router,
                                              std::shared_ptr<Service> service,
                                              std::shared_ptr<KeyRing> keys) {
  if (options.port < 0 || options.port > 65535)
    return UsageError("--port", std::to_string(options.port), "0 to 65535", "choose another");
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return UsageError("--tls-cert, --tls-key", "one of them", "both or none", "give the other too");
  auto server =
      std::make_unique<Server>(std::make_unique<Impl>(options, std::move(router), service, keys));
  Impl& impl = *server->impl_;
  if (!options.tls_key.empty()) HADAL_RETURN_IF_ERROR(server->ReloadCertificate());
  HADAL_ASSIGN_OR_RETURN(const auto endpoints, EndpointsOf(impl.io, options));
  HADAL_RETURN_IF_ERROR(CheckOpen(endpoints, options, *keys));
  for (const tcp::endpoint& endpoint : endpoints)
    HADAL_RETURN_IF_ERROR(impl.Listen(endpoint, !impl.listeners.empty()));
  for (const auto& listener : impl.listeners) impl.Accept(listener);
  for (int i = 0; i < options.network_threads; ++i)
    impl.threads.emplace_back([&impl] {
      const auto work = asio::make_work_guard(impl.io);
      impl.io.run();
    });
  service->set_ready(true);
  return server;
}

Server::~Server() {
  impl_->CloseListeners();
  for (const auto& connection : impl_->Living()) connection->Kill();
  if (PullDesk* pulls = impl_->context->service->pulls()) pulls->End();
  impl_->WaitUntilEmpty(2);
  // Calls that were given up still hear so from their engine.
  for (int i = 0; i < 400 && impl_->context->service->admission().calls() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  impl_->io.stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->workers.stop();
  impl_->workers.join();
}

int Server::port() const { return impl_->port; }

std::string Server::url() const {
  std::string host = impl_->options.host;
  if (host.find(':') != host.npos) host = "[" + host + "]";
  return (impl_->options.tls_key.empty() ? "http://" : "https://") + host + ":" +
         std::to_string(impl_->port);
}

int Server::connections() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return static_cast<int>(impl_->connections.size());
}

void Server::Drain(double seconds) {
  impl_->context->service->set_ready(false);
  impl_->context->draining = true;
  impl_->CloseListeners();
  for (const auto& connection : impl_->Living()) connection->Drain();
  if (impl_->WaitUntilEmpty(seconds)) return;
  impl_->context->service->AbortRunning();
  impl_->WaitUntilEmpty(1);
}

Status Server::ReloadCertificate() {
  HADAL_ASSIGN_OR_RETURN(auto made,
                         ReadCertificate(impl_->options.tls_certificate, impl_->options.tls_key));
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->tls = std::move(made);
  return {};
}

}  // namespace hadal
