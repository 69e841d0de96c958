{{- define "scribe.image" -}}
{{ .Values.image }}:{{ .Values.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "scribe.labels" -}}
app.kubernetes.io/name: scribe
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "scribe.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "scribe.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "scribe.database" -}}
- name: DATABASE_URL
  value: ""
- name: DATABASE_URL_FILE
  value: /run/secrets/scribe/database-url
{{- end }}

{{- define "scribe.volumes" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
- name: secrets
  secret:
    secretName: {{ .Values.secret }}
    defaultMode: 0440
{{- end }}
