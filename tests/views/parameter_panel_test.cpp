// The panel is made from the visitor: what is listed there can be edited here.
#include "views/panels/parameter_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>
#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"
#include "views/panels/parameter_field.h"

namespace qaq::views {
namespace {

class Panel : public testing::Test {
 protected:
  Panel() {
    QObject::connect(&panel, &ParameterPanel::edited, &panel,
                     [this](const ScopeParams& params, bool final) {
                       sent.push_back(params);
                       finals.push_back(final);
                     });
  }
  template <class Widget>
  Widget* editor(const char* name) {
    return panel.field(name)->findChild<Widget*>();
  }
  void link(bool on) {
    for (QToolButton* button : panel.findChildren<QToolButton*>()) {
      if (button->isCheckable()) button->setChecked(on);
    }
  }

  ParameterPanel panel;
  std::vector<ScopeParams> sent;
  std::vector<bool> finals;
};

TEST_F(Panel, HasAnEditorForEveryParameterThatShowsItsValueAndHelp) {
  for (const Parameter& parameter : list_parameters(ScopeParams{})) {
    const ParameterField* field = panel.field(QString::fromStdString(parameter.name));
    ASSERT_NE(field, nullptr) << parameter.name;
    EXPECT_EQ(field->parameter().value, parameter.value);
    EXPECT_TRUE(field->toolTip().contains(QString::fromUtf8(
        parameter.info.help.data(), static_cast<qsizetype>(parameter.info.help.size()))));
    EXPECT_EQ(field->slider() != nullptr, parameter.info.slider_max > parameter.info.slider_min)
        << parameter.name;
  }
}

TEST_F(Panel, ANumberMayBeLeftToTheProgram) {
  auto* norm = editor<QLineEdit>("key.q_norm");
  norm->setText("auto");
  emit norm->editingFinished();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_FALSE(sent.back().qaq.key.q_norm.number);
  EXPECT_EQ(norm->text(), "auto");
  QSlider* slider = panel.field("key.q_norm")->slider();
  EXPECT_EQ(slider->value(), 0);
  norm->setText("automatic");
  emit norm->editingFinished();
  EXPECT_EQ(norm->text(), "auto") << "refused";
  slider->setValue(500);
  EXPECT_GT(sent.back().qaq.key.q_norm.number.value_or(0), 10);
  EXPECT_NE(norm->text(), "auto");
}

TEST_F(Panel, EachKindOfEditorChangesItsParameter) {
  link(false);
  editor<QComboBox>("key.level")->setCurrentText("token");
  editor<QCheckBox>("value.symmetric")->setChecked(true);
  editor<QSpinBox>("value.n_bits_max")->setValue(6);
  auto* target = editor<QLineEdit>("key.target_quantization_error");
  target->setText("0.25");
  emit target->editingFinished();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent.back().qaq.key.level, Level::token);
  EXPECT_TRUE(sent.back().qaq.value.symmetric);
  EXPECT_EQ(sent.back().qaq.value.n_bits_max, 6);
  EXPECT_EQ(sent.back().qaq.key.target_quantization_error, 0.25);
  EXPECT_EQ(sent.back().qaq.value.level, Level::head) << "not linked";
}

TEST_F(Panel, LinkedCachesChangeTogether) {
  editor<QSpinBox>("key.n_bits_max")->setValue(4);
  EXPECT_EQ(sent.back().qaq.value.n_bits_max, 4);
  EXPECT_EQ(editor<QSpinBox>("value.n_bits_max")->value(), 4);
  ASSERT_EQ(sent.size(), 1u) << "one edit, one signal";
}

TEST_F(Panel, DraggingASliderPreviewsAndReleasingIsFinal) {
  QSlider* slider = panel.field("value.target_quantization_error")->slider();
  slider->setSliderDown(true);
  slider->setSliderPosition(200);
  slider->setSliderPosition(500);
  ASSERT_EQ(finals, (std::vector<bool>{false, false}));
  slider->setSliderDown(false);
  EXPECT_TRUE(finals.back());
  EXPECT_EQ(sent.back().qaq.value.target_quantization_error, 0.17)
      << "half-way from 0.001 to 30 in decades";
}

TEST_F(Panel, AValueOutsideTheRangeIsNotTaken) {
  auto* ratio = editor<QLineEdit>("key.outliers_ratio");
  for (const char* text : {"1.5", "-0.1", "many", ""}) {
    ratio->setText(text);
    emit ratio->editingFinished();
    EXPECT_EQ(ratio->text(), "0.01") << text;
  }
  EXPECT_TRUE(sent.empty());
}

TEST_F(Panel, ResetBringsTheDefaultsBack) {
  editor<QSpinBox>("key.n_bits_max")->setValue(4);
  panel.show();
  QToolButton* reset = nullptr;
  int visible = 0;
  for (QToolButton* button : panel.findChildren<QToolButton*>()) {
    if (button->accessibleName().startsWith("Reset") && button->isVisible()) {
      reset = button;
      ++visible;
    }
  }
  ASSERT_EQ(visible, 1) << "only the changed row offers it";
  reset->click();
  EXPECT_TRUE(same_parameters(sent.back(), ScopeParams{}));
  EXPECT_FALSE(reset->isVisible());
}

TEST_F(Panel, ShowingParametersSendsNothing) {
  ScopeParams params;
  set_parameter(params, "key.level", std::string("layer"));
  set_parameter(params, "violation_ratio", 9.0);
  panel.setParams(params);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(editor<QComboBox>("key.level")->currentText(), "layer");
  EXPECT_EQ(editor<QLineEdit>("violation_ratio")->text(), "9");
}

}  // namespace
}  // namespace qaq::views
