#include "tests/support/model_fixture.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <string_view>

#include "data/models/model_store.h"

namespace qaq::test {

std::optional<std::string> smollm2_path() {
  const ModelStore store;
  const KnownModel& model = *ModelStore::find("smollm2-135m");
  if (store.has(model)) return store.path_of(model).string();
  const char* required = std::getenv("QAQ_REQUIRE_MODEL");
  if (required && std::string_view(required) == "1") {
    ADD_FAILURE() << "QAQ_REQUIRE_MODEL=1, and there is no " << store.path_of(model)
                  << "; run: qaq model fetch smollm2-135m";
  }
  return std::nullopt;
}

}  // namespace qaq::test
