// Runs the meter's firmware on an emulated board: arguments, and where commands come from.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "console.h"

namespace emulator {
namespace {

constexpr char USAGE[] =
    "emulator [--profile active|bridge] [--seed N] [--no-noise] [--eeprom FILE] [--pty] [--realtime] ELF";
constexpr int TICK_MS = 2, LOOK_MS = 200;  // a signal may come just before one waits
constexpr uint64_t HOPELESS_US = 500000;

volatile sig_atomic_t told_to_end = 0;

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i++) {
    const std::string word = words[i];
    const std::string value = i + 1 < count ? words[i + 1] : "";
    if (word == "--profile" && (value == "active" || value == "bridge")) {
      options.profile = value == "bridge" ? BRIDGE : ACTIVE;
      i++;
    } else if (word == "--seed" && !value.empty() && value.find_first_not_of("0123456789") == std::string::npos) {
      options.seed = std::strtoull(words[++i], nullptr, 10);
    } else if (word == "--eeprom" && !value.empty()) {
      options.eeprom_path = words[++i];
    } else if (word == "--no-noise") {
      options.noise = false;
    } else if (word == "--pty") {
      options.pty = true;
    } else if (word == "--realtime") {
      options.realtime = true;
    } else if (word.substr(0, 1) != "-" && options.elf_path.empty()) {
      options.elf_path = word;
    } else {
      throw std::runtime_error("It does not understand " + word + "; it takes: " + USAGE);
    }
  }
  if (options.elf_path.empty()) throw std::runtime_error(std::string("It takes: ") + USAGE);
  return options;
}

// Lines of stdin, without waiting longer than one is told to.
class Lines {
 public:
  bool ended() const { return ended_; }

  void wait(int timeout_ms) {
    pollfd fd = {STDIN_FILENO, POLLIN, 0};
    if (poll(&fd, 1, timeout_ms) <= 0) return;
    char bytes[4096];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) text_.append(bytes, static_cast<size_t>(count));
    ended_ = count == 0;
  }

  bool next(std::string& line) {
    const size_t end = text_.find('\n');
    if (end == std::string::npos) return false;
    line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return true;
  }

 private:
  std::string text_;
  bool ended_ = false;
};

// The emulated clock keeps to the wall's; a machine too slow for that is waited for.
class Pace {
 public:
  uint64_t due_us(uint64_t now_us) {
    const auto passed = std::chrono::steady_clock::now() - began_;
    uint64_t due = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
    due -= waited_us_;
    if (due > now_us + HOPELESS_US) {
      waited_us_ += due - now_us;
      due = now_us;
    }
    return due;
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  uint64_t waited_us_ = 0;
};

// Returns the exit status.
int serve(Console& console, bool realtime) {
  Lines lines;
  Pace pace;
  std::string line;
  while (!told_to_end && !lines.ended()) {
    lines.wait(realtime ? TICK_MS : LOOK_MS);
    while (!told_to_end && lines.next(line))
      if (!console.command(line)) return line.substr(0, 4) == "quit" ? 0 : 1;
    if (realtime && !console.run_until(pace.due_us(console.now_us()))) {
      console.flush();
      return 1;
    }
  }
  return 0;
}

int run(int count, char** words) {
  const Options options = parse(count, words);
  Console console(options, told_to_end);
  struct sigaction action = {};
  action.sa_handler = [](int) { told_to_end = 1; };  // no SA_RESTART: it ends a wait
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const int status = serve(console, options.realtime);
  console.save_eeprom();
  return status;
}

}  // namespace
}  // namespace emulator

int main(int count, char** words) {
  try {
    return emulator::run(count, words);
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
