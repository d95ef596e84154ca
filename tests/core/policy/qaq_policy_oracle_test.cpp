// The quantizer against the authors' own: every configuration of the two reference files.
#include <gtest/gtest.h>
#include <iostream>

#include "tests/support/qaq_reference.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

void expect_as_authors(const std::string& name, int n_configs) {
  const QaqDeviations deviations =
      QaqReference(test_data_path("oracle"), name).compare_all(quantize_cache);
  EXPECT_EQ(deviations.n_configs, n_configs);
  std::cout << "largest deviation, " << name << ": " << deviations.text() << "\n";
}

TEST(QaqPolicyOracle, NarrativeCacheOfSmolLm2) {
  expect_as_authors("qaq_reference_narrative", 105);
}

TEST(QaqPolicyOracle, SyntheticMultiHeadCache) {
  expect_as_authors("qaq_reference_synthetic", 201);
}

}  // namespace
}  // namespace qaq::test
