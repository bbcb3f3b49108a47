// A conversation as the prompt encodings see it: messages, tool definitions, tool calls and their
// results, read from the OpenAI-style JSON that requests and test vectors share.
//
// Plain data, owned by one thread; the JSON nodes inside share the documents kept in `storage`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/metadata.h"

namespace hadal {

// One call that an assistant turn made.
struct ToolCall {
  std::string id;
  std::string type = "function";
  std::string name;
  // Either a string (JSON text, as OpenAI sends it) or the parsed value. Null: no arguments given.
  Metadata arguments;
};

// What a message says: nothing (null or absent), one text, or several text parts.
struct Content {
  bool given = false;
  std::vector<std::string> parts;

  std::string Join(std::string_view separator) const;
};

struct Message {
  std::string role;  // "system", "user", "assistant", "tool", ...
  std::string name;  // optional; some templates print it in place of the role
  Content content;
  bool has_reasoning = false;
  std::string reasoning;             // reasoning_content of an assistant turn
  std::vector<ToolCall> tool_calls;  // an empty or null list counts as absent
  std::string tool_call_id;          // of a tool result
  bool prefix = false;               // DeepSeek's mark of an assistant turn to be continued
};

struct Conversation {
  std::vector<Message> messages;
  std::vector<Metadata> tools;            // definitions, each as it came
  std::vector<MetadataDocument> storage;  // what `tools` and `arguments` point into

  void Add(std::string_view role, std::string text);
};

// Reads {"messages": [...], "tools": [...]} (the body of a request; other members are not looked
// at). Fails where a field has the wrong kind, a content part is not text, or a call has no name;
// `where` names the source in messages. Which roles and which missing contents are allowed is the
// encoding's business.
Result<Conversation> ParseConversation(const MetadataDocument& request, const std::string& where);

}  // namespace hadal
