// consumer [MODEL [TEXT]]: the smallest program that talks to a model through the installed
// library. Without a model it only shows how a failure is told. Without a text it continues three
// token ids, which needs no tokenizer.
#include <iostream>
#include <string>

#include "hadal/engine.h"

namespace {

int Answer(const std::string& model, const char* text) {
  const auto engine = hadal::Engine::Open({.model = model});
  if (!engine) {
    std::cerr << engine.status().ToString() << '\n';
    return engine.status().ExitCode();
  }
  hadal::GenerateRequest request;
  request.max_tokens = 16;
  request.sampling.temperature = 0;
  if (text != nullptr)
    request.prompt = hadal::Chat{.messages = {{.role = "user", .text = text}}};
  else
    request.prompt = hadal::TokenIds{{1, 2, 3}};

  hadal::Session session(*engine);
  const auto answer = session.Generate(request, [](const hadal::GenerateEvent& event) {
    std::cout << event.text << std::flush;
    return true;
  });
  if (!answer) {
    std::cerr << answer.status().ToString() << '\n';
    return answer.status().ExitCode();
  }
  std::cout << "\n[" << answer->ids.size() << " tokens, " << hadal::Name(answer->finish_reason)
            << "]\n";
  return answer->ids.empty() ? 1 : 0;
}

// A model that is not there is a message in four parts, not a crash.
int Fail() {
  const auto engine = hadal::Engine::Open({.model = "no/such/model"});
  if (engine) return 1;
  std::cout << engine.status().ToString() << '\n';
  return engine.status().code() == hadal::Code::kUnusable ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return argc < 2 ? Fail() : Answer(argv[1], argc > 2 ? argv[2] : nullptr);
}
