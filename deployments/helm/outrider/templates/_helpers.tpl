{{- define "outrider.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "outrider.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "outrider.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "outrider.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "outrider.selector" -}}
app.kubernetes.io/name: {{ include "outrider.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "outrider.labels" -}}
{{ include "outrider.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "outrider.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "outrider.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "outrider.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What the chart decides itself. A setting of the values that contradicts it would be a surprise, so it is refused. */}}
{{- define "outrider.own" -}}
data.dir: /data
http.listen: 0.0.0.0:8080
mqtt.listen: {{ if and .Values.mqtt.enabled .Values.mqtt.plain }}0.0.0.0:1883{{ else }}""{{ end }}
{{- if and .Values.mqtt.enabled .Values.mqtt.tls.secret }}
mqtt.tls_listen: 0.0.0.0:8883
mqtt.tls_cert: /etc/outrider/tls/tls.crt
mqtt.tls_key: /etc/outrider/tls/tls.key
{{- end }}
{{- end -}}

{{- define "outrider.settings" -}}
{{- $own := include "outrider.own" . | fromYaml -}}
{{- range $name, $value := .Values.settings -}}
{{- if hasKey $own $name -}}
{{- fail (printf "settings: %s is decided by the chart" $name) -}}
{{- end -}}
{{- if hasKey $.Values.secrets $name -}}
{{- fail (printf "settings: %s is among the secrets, too" $name) -}}
{{- end -}}
{{- end -}}
{{- $endpoint := and .Values.mqtt.enabled (or .Values.mqtt.plain .Values.mqtt.tls.secret) -}}
{{- if and .Values.mqtt.enabled (not $endpoint) -}}
{{- fail "mqtt: neither plain nor tls.secret, so the device endpoint has no port" -}}
{{- end -}}
{{- if not (or $endpoint (hasKey .Values.settings "mqtt.url")) -}}
{{- fail "no fixes can come in: set mqtt.enabled or settings.mqtt\\.url" -}}
{{- end -}}
{{- merge $own .Values.settings | toYaml -}}
{{- end -}}
