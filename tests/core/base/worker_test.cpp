#include "core/base/worker.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

namespace qaq {
namespace {

TEST(Worker, WorksInOrderOnAThreadOfItsOwn) {
  std::vector<int> done;
  std::thread::id there;
  Worker worker;
  for (int i = 0; i < 100; ++i) worker.post([&, i] { done.push_back(i); });
  worker.run([&] { there = std::this_thread::get_id(); });
  EXPECT_EQ(done.size(), 100u) << "all that was handed over before";
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  EXPECT_NE(there, std::this_thread::get_id());
}

TEST(Worker, RunReturnsAndThrowsWhatTheWorkDoes) {
  Worker worker;
  EXPECT_EQ(worker.run([] { return 7; }), 7);
  EXPECT_THROW(worker.run([] { throw std::runtime_error("no"); }), std::runtime_error);
}

TEST(Worker, RunFromTheWorkerItselfCalls) {
  Worker worker;
  EXPECT_EQ(worker.run([&] { return worker.run([] { return 7; }); }), 7);
}

TEST(Worker, TheDestructorWaitsForAllWork) {
  int done = 0;
  {
    Worker worker;
    for (int i = 0; i < 100; ++i) worker.post([&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace qaq
