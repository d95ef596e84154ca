#include "app/cli/console.h"

#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>

#include "app/cli/printable.h"
#include "app/wiring/origin.h"
#include "core/base/error.h"
#include "core/base/shell.h"
#include "core/base/text.h"

namespace qaq::cli {
namespace {

std::stop_source& stop_source() {
  static std::stop_source source;
  return source;
}
std::atomic<int> received_signal{0};
std::array<int, 2> signal_pipe{-1, -1};

// A handler may not take locks, as a stop request does, so it only wakes a thread that may. Signals
// are not blocked and waited for: libraries start threads before main, and those would get them.
void on_signal(int signal) {
  int none = 0;
  if (!received_signal.compare_exchange_strong(none, signal)) std::_Exit(128 + signal);
  const char byte = 1;
  [[maybe_unused]] const auto written = write(signal_pipe[1], &byte, 1);
}

// ", 2 min left" at the pace so far, once that would be more than some seconds.
std::string time_left(std::chrono::duration<double> spent, std::int64_t done,
                      const ProgressState& state) {
  if (done < 1) return "";
  const double seconds =
      spent.count() / static_cast<double>(done) * static_cast<double>(state.total - state.done);
  if (seconds < 5) return "";
  return seconds < 90 ? cat(", ", std::lround(seconds), " s left")
                      : cat(", ", std::lround(seconds / 60), " min left");
}

std::string remembered_command_line;  // NOLINT: set once in main before threads start

}  // namespace

ConsoleProgress::ConsoleProgress(bool quiet) : quiet_(quiet), terminal_(isatty(2) == 1) {}
ConsoleProgress::~ConsoleProgress() { finish_line(); }

void ConsoleProgress::finish_line() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

void ConsoleProgress::note(const std::string& line) {
  if (quiet_) return;
  finish_line();
  std::fprintf(stderr, "%s\n", printable(line).c_str());
}

void ConsoleProgress::update(const ProgressState& state) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool new_stage = stage_ != state.stage;
  const bool complete = state.done >= state.total;
  if (new_stage) {
    finish_line();
    stage_ = state.stage;
    stage_start_ = now;
    stage_done_ = state.done;
  }
  if (!terminal_) {
    if (complete) {
      const double seconds = std::chrono::duration<double>(now - stage_start_).count();
      std::fprintf(stderr, "%s: %lld %.*s, %.1f s\n", stage_.c_str(),
                   static_cast<long long>(state.total), static_cast<int>(state.unit.size()),
                   state.unit.data(), seconds);
    }
    return;
  }
  if (!new_stage && !complete && now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  constexpr int kWidth = 30;
  const double share =
      state.total > 0 ? static_cast<double>(state.done) / static_cast<double>(state.total) : 1.0;
  const int filled = static_cast<int>(share * kWidth);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(kWidth, '.');
  std::fprintf(
      stderr, "\r%-10s [%s] %lld of %lld %.*s%s \033[K", stage_.c_str(), bar.c_str(),
      static_cast<long long>(state.done), static_cast<long long>(state.total),
      static_cast<int>(state.unit.size()), state.unit.data(),
      complete ? "" : time_left(now - stage_start_, state.done - stage_done_, state).c_str());
  line_open_ = true;
  if (complete) finish_line();
}

Interruption::Interruption() {
  if (pipe2(signal_pipe.data(), O_CLOEXEC) != 0) return;  // then signals end the program as ever
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::thread([] {
    char byte = 0;
    if (read(signal_pipe[0], &byte, 1) == 1) stop_source().request_stop();
  }).detach();
}

std::stop_token Interruption::stop_token() { return stop_source().get_token(); }
int Interruption::exit_code() {
  const int signal = received_signal;
  return 128 + (signal == 0 ? SIGINT : signal);
}

void print_json(const nlohmann::ordered_json& document) {
  using Json = nlohmann::ordered_json;
  Json out{{"schema_version", 1}};
  out.update(document);
  // Names in files need not be UTF-8; a document always is.
  const std::string text = out.dump(2, ' ', false, Json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

void require_device(const std::string& device) {
  if (device == "cpu") return;
  throw Error(ErrorKind::work,
              {.place = "--device " + device,
               .what = "this command runs on the CPU alone",
               .cure = "run it with --device cpu; run, capture, replay and sweep take cuda"});
}

void remember_command_line(int argc, char** argv) {
  remembered_command_line = "qaq";
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    // A word with a slash may be a path: only its file name is nobody's business but the file's.
    if (word.find('/') != std::string::npos && word.find_first_of(" \n") == std::string::npos) {
      const std::size_t equals = word.rfind('=', word.find('/'));
      const std::string head = equals == std::string::npos ? "" : word.substr(0, equals + 1);
      word = head + std::filesystem::path(word.substr(head.size())).filename().string();
    }
    remembered_command_line += " " + shell_word(word);
  }
}
const std::string& command_line() { return remembered_command_line; }

nlohmann::ordered_json provenance() { return provenance_of({"qaq", command_line()}); }

}  // namespace qaq::cli
