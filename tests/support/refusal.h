#pragma once

#include <gtest/gtest.h>
#include <string>

#include "core/base/error.h"

namespace qaq::test {

/// The line with which action() refuses its input (or, by `kind`, its usage), which must give a
/// cure; "taken" where it does not refuse.
template <class Action>
std::string refusal(Action action, ErrorKind kind = ErrorKind::input) {
  try {
    action();
    return "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_FALSE(error.text().cure.empty()) << error.what();
    return error.what();
  }
}

}  // namespace qaq::test
