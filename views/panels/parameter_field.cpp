#include "views/panels/parameter_field.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "views/panels/slider_scale.h"

namespace qaq::views {
namespace {

QString helpOf(const Parameter& parameter) {
  const ParameterInfo& info = parameter.info;
  std::string text = cat(parameter.name, ": ", info.help, ".");
  if (std::isfinite(info.min) && std::isfinite(info.max)) {
    text += cat(" From ", number_text(info.min), " to ", number_text(info.max));
    text += info.unit.empty() ? "" : cat(" ", info.unit);
    text += parameter.kind == ParameterKind::real_or_auto ? ", or auto." : ".";
  }
  return QString::fromStdString(text);
}

}  // namespace

ParameterField::ParameterField(const Parameter& parameter, QWidget* parent)
    : QWidget(parent), m_parameter(parameter) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  QWidget* editor = makeEditor();
  editor->setObjectName(QString::fromStdString(parameter.name));
  editor->setAccessibleName(QString::fromStdString(parameter.name));
  editor->setAccessibleDescription(helpOf(parameter));
  setToolTip(helpOf(parameter));
  editor->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  editor->setMinimumWidth(40);
  column->addWidget(editor);
  if (SliderScale::has(parameter)) addSlider();
  showValue();
}

QWidget* ParameterField::makeEditor() {
  switch (m_parameter.kind) {
    case ParameterKind::boolean:
      m_check = new QCheckBox;
      connect(m_check, &QCheckBox::toggled, this, [this](bool on) { offer(on, true); });
      return m_check;
    case ParameterKind::choice:
      m_choice = new QComboBox;
      // A long choice is cut before it pushes the other cache out of sight.
      m_choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
      m_choice->setMinimumContentsLength(5);
      for (const std::string& choice : m_parameter.choices) {
        m_choice->addItem(QString::fromStdString(choice));
      }
      connect(m_choice, &QComboBox::currentTextChanged, this,
              [this](const QString& text) { offer(text.toStdString(), true); });
      return m_choice;
    case ParameterKind::integer:
      m_spin = new QSpinBox;
      m_spin->setRange(static_cast<int>(std::max(m_parameter.info.min, -1e9)),
                       static_cast<int>(std::min(m_parameter.info.max, 1e9)));
      m_spin->setKeyboardTracking(false);
      connect(m_spin, &QSpinBox::valueChanged, this,
              [this](int value) { offer(std::int64_t{value}, true); });
      return m_spin;
    case ParameterKind::real:
    case ParameterKind::real_or_auto:
      m_number = new QLineEdit;
      connect(m_number, &QLineEdit::editingFinished, this,
              [this] { offer(m_number->text().toStdString(), true); });
      return m_number;
  }
  return nullptr;
}

void ParameterField::addSlider() {
  m_slider = new QSlider(Qt::Horizontal);
  m_slider->setRange(0, SliderScale::kSteps);
  m_slider->setPageStep(SliderScale::kSteps / 20);
  m_slider->setSingleStep(SliderScale::kSteps / 100);
  m_slider->setFixedHeight(13);
  m_slider->setAccessibleName(QString::fromStdString(m_parameter.name));
  layout()->addWidget(m_slider);
  connect(m_slider, &QSlider::valueChanged, this, [this](int step) {
    offer(SliderScale(m_parameter).valueAt(step), !m_slider->isSliderDown());
  });
  connect(m_slider, &QSlider::sliderReleased, this,
          [this] { emit edited(m_parameter.value, true); });
}

void ParameterField::offer(const ParameterValue& value, bool final) {
  ParameterValue checked;
  try {
    checked = checked_value(m_parameter, value);
  } catch (const Error&) {
    showValue();  // refused: the last good value comes back
    return;
  }
  if (checked == m_parameter.value) return;
  m_parameter.value = checked;
  showValue();
  emit edited(checked, final);
}

void ParameterField::setValue(const ParameterValue& value) {
  m_parameter.value = value;
  showValue();
}

void ParameterField::showValue() {
  const ParameterValue& value = m_parameter.value;
  const QString text = QString::fromStdString(value_text(value));
  if (m_check) {
    const QSignalBlocker block(m_check);
    m_check->setChecked(std::get<bool>(value));
  } else if (m_choice) {
    const QSignalBlocker block(m_choice);
    m_choice->setCurrentText(text);
  } else if (m_spin) {
    const QSignalBlocker block(m_spin);
    m_spin->setValue(static_cast<int>(std::get<std::int64_t>(value)));
  } else if (m_number) {
    const QSignalBlocker block(m_number);
    m_number->setText(text);
  }
  // A slider under the hand is not moved to the rounded value.
  if (m_slider && !m_slider->isSliderDown()) {
    const QSignalBlocker block(m_slider);
    m_slider->setValue(SliderScale(m_parameter).stepOf(value));
  }
}

}  // namespace qaq::views
