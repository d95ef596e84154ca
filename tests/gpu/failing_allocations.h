#pragma once

#include <gtest/gtest.h>
#include <string>

#include "core/base/error.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::test {

/// Runs `body` again and again, of whose allocations another one fails each time: one line that
/// says what else there is, and nothing left behind. Gives how many there are.
template <class Body>
int fail_each_allocation(const Body& body) {
  constexpr int kMost = 100;
  const auto live = [] { return simt::live_allocations() + simt::live_graphs(); };
  const auto before = live();
  int n_failed = 0;
  for (bool failed = true; failed && n_failed < kMost;) {
    simt::fail_allocation(n_failed + 1);
    failed = false;
    try {
      body();
    } catch (const Error& error) {
      failed = true;
      ++n_failed;
      EXPECT_EQ(error.kind(), ErrorKind::work);
      EXPECT_NE(std::string(error.what()).find("--device cpu"), std::string::npos) << error.what();
    }
    EXPECT_EQ(live(), before) << "allocation " << n_failed;
  }
  simt::fail_allocation(0);
  EXPECT_LT(n_failed, kMost);
  return n_failed;
}

}  // namespace qaq::test
