// What a provenance says of the device that numbers were computed on.
#include "app/wiring/device.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace qaq {
namespace {

TEST(DeviceRecord, NamesDeviceBackendAndDriver) {
  nlohmann::ordered_json record;
  add_device(record,
             {.kind = "cuda", .name = "NVIDIA H100", .driver = "driver 12.4, runtime 13.0"});
  EXPECT_EQ(record.dump(),
            R"({"device":"NVIDIA H100","backend":"cuda","driver":"driver 12.4, runtime 13.0"})");
}

TEST(DeviceRecord, AProcessorHasNoDriver) {
  nlohmann::ordered_json record;
  add_device(record, make_backend("cpu")->info());
  EXPECT_EQ(record["backend"], "cpu");
  EXPECT_NE(record["device"], "");
  EXPECT_FALSE(record.contains("driver"));
}

TEST(DeviceRecord, ReplaysOnTheCpuAreTheSameEverywhere) {
  nlohmann::ordered_json record;
  add_replay_device(record, "cpu");
  EXPECT_TRUE(record.empty());
}

}  // namespace
}  // namespace qaq
