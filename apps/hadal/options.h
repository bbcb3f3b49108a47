// Options: what a command can be told. CLI11 reads them; its headers stay in options.cc, since they
// take longer to compile than all commands together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hadal {

// A command, or the program itself. Names are "-n,--tokens", or "model" for an argument without a
// name. Targets keep their value where the option is not given, and outlive Run.
class Options {
 public:
  using Body = std::function<int()>;  // its exit code

  // Adds a command; without a body it only holds further commands.
  Options Command(const std::string& name, const std::string& help, Body body = nullptr);

  void Flag(const std::string& names, bool* to, const std::string& help);
  void Value(const std::string& names, std::string* to, const std::string& help);
  void Value(const std::string& names, int* to, const std::string& help);
  void Value(const std::string& names, std::int64_t* to, const std::string& help);
  void Value(const std::string& names, std::uint64_t* to, const std::string& help);
  void Value(const std::string& names, std::optional<std::string>* to, const std::string& help);
  void Value(const std::string& names, std::optional<std::int64_t>* to, const std::string& help);
  void Value(const std::string& names, std::optional<std::uint64_t>* to, const std::string& help);
  void Value(const std::string& names, std::optional<float>* to, const std::string& help);
  void Value(const std::string& names, std::optional<double>* to, const std::string& help);
  void Value(const std::string& names, std::vector<std::string>* to, const std::string& help);
  void Choice(const std::string& names, std::string* to, const std::vector<std::string>& allowed,
              const std::string& help);
  // The option or argument of this name must be given.
  void Require(const std::string& name);

 private:
  friend class Program;
  explicit Options(CLI::App* app) : app_(app) {}
  CLI::App* app_;
};

// The program: reads the arguments and runs the body of the command that they name.
class Program {
 public:
  Program(const std::string& name, const std::string& help, const std::string& version);
  ~Program();
  Options options();
  // The exit code of the body; 2, with a message on standard error, where the arguments are wrong.
  int Run(int argc, char** argv);

 private:
  bool Knows(const std::string& command) const;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace hadal
