#include "data/models/child_process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

class RunProgram : public testing::Test {
 protected:
  int shell(const std::string& script, const Work& work = {}) {
    return run_program({"sh", "-c", script}, log_, work);
  }
  std::string logged() const {
    std::ifstream in(log_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  test::TemporaryFolder folder_;
  const std::filesystem::path log_ = folder_.path() / "log";
};

TEST_F(RunProgram, ReturnsTheExitStatus) {
  EXPECT_EQ(shell("exit 0"), 0);
  EXPECT_EQ(shell("exit 7"), 7);
  EXPECT_EQ(shell("kill -TERM $$"), 128 + SIGTERM);
}

TEST_F(RunProgram, KeepsBothOutputsInTheLogAndGivesNoInput) {
  EXPECT_EQ(shell("cat; echo out; echo err >&2"), 0);
  EXPECT_EQ(logged(), "out\nerr\n");
}

TEST_F(RunProgram, ArgumentsAreNoShellWords) {
  EXPECT_EQ(run_program({"printf", "%s", "$HOME; a 'b' *"}, log_, {}), 0);
  EXPECT_EQ(logged(), "$HOME; a 'b' *");
}

TEST_F(RunProgram, AProgramThatIsNotThereIsAnError) {
  EXPECT_THROW(run_program({"qaq-no-such-program"}, log_, {}), Error);
}

TEST_F(RunProgram, SignalsBlockedHereAreNotBlockedThere) {
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  EXPECT_EQ(shell("kill -TERM $$; exit 3"), 128 + SIGTERM);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Whether the process runs: it is neither gone nor a zombie that nobody has collected yet.
bool alive(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/stat");
  std::string pid, name, state = "gone";
  status >> pid >> name >> state;
  return state != "gone" && state != "Z" && state != "X";
}

TEST_F(RunProgram, AStopEndsTheProgramAndWhatItStarted) {
  const std::filesystem::path started = folder_.path() / "started";
  std::stop_source stop;
  std::jthread later([&] {
    while (!std::filesystem::exists(started)) std::this_thread::yield();
    stop.request_stop();
  });
  try {
    shell("sleep 3600 & echo $! > " + started.string() + ".new; mv " + started.string() + ".new " +
              started.string() + "; wait",
          Work(nullptr, stop.get_token()));
    FAIL() << "ended by itself";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  pid_t grandchild = 0;
  std::ifstream(started) >> grandchild;
  ASSERT_GT(grandchild, 0);
  // The kill was sent; it takes effect when the process next runs.
  for (int i = 0; i < 1000 && alive(grandchild); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(alive(grandchild));
}

}  // namespace
}  // namespace qaq
