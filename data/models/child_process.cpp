#include "data/models/child_process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

// Standard input is empty, both outputs go to the log, no signal is blocked as some may be here,
// and the child leads a group of its own, so that whatever it starts can be ended with it.
class SpawnSetup {
 public:
  explicit SpawnSetup(const std::filesystem::path& log) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

int run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                const Work& work) {
  const SpawnSetup setup(log);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, argv[0], &setup.actions, &setup.attributes, argv.data(), environ);
  if (failed != 0) {
    throw Error(ErrorKind::work,
                {.file = arguments[0],
                 .what = cat("cannot be started: ", std::generic_category().message(failed)),
                 .cure = "install it"});
  }
  int status = 0;
  pid_t ended = 0;
  while (ended == 0) {
    // Asked once a turn: a wait without end must follow the kill.
    const bool stopped = work.stopped();
    if (stopped) ::kill(-child, SIGKILL);
    do {
      ended = ::waitpid(child, &status, stopped ? 0 : WNOHANG);
    } while (ended < 0 && errno == EINTR);
    if (ended == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  work.throw_if_stopped();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace qaq
