// How much of the server one client may take. The defaults are those of the plan for hostile
// networks: 256 connections, 32 MiB bodies, seconds for headers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hadal {

struct HttpLimits {
  std::size_t header_bytes = 32 << 10, header_fields = 100;
  std::size_t line_bytes = 8 << 10, uri_bytes = 8 << 10;
  std::uint64_t body_bytes = 32u << 20;
  std::uint64_t all_bodies_bytes = 256u << 20;  // of all connections together

  double header_seconds = 10;
  // A body may come this slowly after a grace; a slower one is ended.
  double body_grace_seconds = 5;
  double body_bytes_per_second = 1024;
  double idle_seconds = 60;         // between two requests of a connection
  double write_stall_seconds = 60;  // a write without any progress
  double heartbeat_seconds = 15;    // of silence in a stream, then its heartbeat is written

  int connections = 256, connections_per_address = 64;
  // Where they are used up, one that has waited for a request for so long is closed for a new one;
  // where none has, the new one is told off. A flood that asks at once is so told off, and who only
  // holds connections locks nobody out.
  double held_seconds = 0.25;
};

}  // namespace hadal
