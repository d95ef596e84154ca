// Each planted fault in each build, in a program of its own.
#include <cstdio>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace qaq {
namespace {

constexpr int kNothing = 0, kReported = 3, kWrongValues = 4, kSanitizer = 66;

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome run(const std::string& program, const std::string& argument) {
  const std::string sanitizer = "exitcode=" + std::to_string(kSanitizer) + ":halt_on_error=1";
  const std::string command = "ASAN_OPTIONS=" + sanitizer + " UBSAN_OPTIONS=" + sanitizer +
                              " TSAN_OPTIONS=atexit_sleep_ms=0:" + sanitizer + " '" + program +
                              "' " + argument + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return outcome;
  char part[512];
  while (std::fgets(part, sizeof part, pipe)) outcome.output += part;
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

struct Case {
  std::string name;
  std::vector<std::string> finders;  ///< of the plain, address and thread sanitizer's build
};

std::vector<Case> cases_of(const std::string& program) {
  std::istringstream lines(run(program, "--list").output);
  std::vector<Case> cases;
  Case next{.name = {}, .finders = std::vector<std::string>(3)};
  while (lines >> next.name >> next.finders[0] >> next.finders[1] >> next.finders[2]) {
    cases.push_back(next);
  }
  return cases;
}

int status_of(const std::string& finder) {
  if (finder == "report") return kReported;
  if (finder == "values") return kWrongValues;
  return finder == "sanitizer" ? kSanitizer : kNothing;
}

void expect_found(const std::string& program, std::size_t build) {
  const std::vector<Case> cases = cases_of(program);
  ASSERT_GT(cases.size(), 16u) << program;
  for (const Case& fault : cases) {
    // A build that cannot see a fault may still meet it.
    const std::string& finder = fault.finders[build];
    if (finder == "none" && fault.name != "sound") continue;
    const Outcome outcome = run(program, fault.name);
    EXPECT_EQ(outcome.status, status_of(finder))
        << fault.name << ", to be found by: " << finder << "\n"
        << outcome.output;
  }
}

TEST(Faults, ThePlainBuildFindsItsOwn) { expect_found(QAQ_FAULTS_PLAIN, 0); }
TEST(Faults, TheAddressSanitizerFindsItsOwn) { expect_found(QAQ_FAULTS_ASAN, 1); }
TEST(Faults, TheThreadSanitizerFindsItsOwn) { expect_found(QAQ_FAULTS_TSAN, 2); }

TEST(Faults, EachIsFoundBySomeBuild) {
  for (const Case& fault : cases_of(QAQ_FAULTS_PLAIN)) {
    bool found = false;
    for (const std::string& finder : fault.finders) found = found || finder != "none";
    EXPECT_EQ(found, fault.name != "sound") << fault.name;
  }
}

}  // namespace
}  // namespace qaq
