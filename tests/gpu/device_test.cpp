// What is said of machines that cannot run on a GPU, and what a model takes on one that can.

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "gpu/backend.h"
#include "gpu/device/buffer.h"
#include "gpu/device/probe.h"
#include "tests/gpu/simt/simt.h"

namespace qaq::test {
namespace {

std::string refused_as(const simt::DeviceState& state) {
  simt::set_device(state);
  std::string line;
  try {
    make_cuda_backend();
    line = "taken";
  } catch (const Error& error) {
    line = error.what();
  }
  simt::set_device({});
  return line;
}

TEST(Probe, SaysInOneLineWhyNothingCanRun) {
  EXPECT_EQ(refused_as(simt::DeviceState::no_driver()),
            "--device cuda: no NVIDIA driver found; or run with --device cpu");
  const std::string old = refused_as(simt::DeviceState::old_driver());
  EXPECT_TRUE(old.starts_with("--device cuda: driver supports CUDA 12.4, this build needs "))
      << old;
  EXPECT_NE(old.find(": update the driver; or run with --device cpu"), std::string::npos) << old;
  EXPECT_EQ(refused_as(simt::DeviceState::no_device()),
            "--device cuda: driver found, no GPU; or run with --device cpu");
  const std::string weak = refused_as(simt::DeviceState::capability(7, 5));
  EXPECT_NE(weak.find("has compute capability 7.5, needed is 8.0"), std::string::npos) << weak;
  EXPECT_EQ(refused_as({}), "taken");
}

TEST(Probe, NamesTheDevice) {
  const cuda::Probe found = cuda::probe();
  EXPECT_EQ(found.problem, "");
  EXPECT_EQ(found.name, "SIMT shim");
  EXPECT_GE(found.capability, 80);
  const DeviceInfo info = make_cuda_backend()->info();
  EXPECT_EQ(info.kind, "cuda");
  EXPECT_NE(info.driver.find("driver"), std::string::npos);
  EXPECT_GT(info.available_bytes, 0);
}

TEST(Arena, PiecesAreAlignedAndApart) {
  cuda::Arena arena(3 * cuda::Arena::kAlignment);
  float* a = arena.take<float>(1);
  float* b = arena.take<float>(64);
  EXPECT_EQ(b - a, cuda::Arena::kAlignment / 4);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b) % cuda::Arena::kAlignment, 0u);
  EXPECT_EQ(arena.bytes_left(), cuda::Arena::kAlignment);
  EXPECT_THROW(arena.take<float>(65), std::logic_error);
}

}  // namespace
}  // namespace qaq::test
