{{/* What every pod has: who it runs as and where. Takes a dict of `root` and `name`. */}}
{{- define "spine.podSettings" -}}
{{- with .root.Values -}}
serviceAccountName: {{ include "spine.account" $.root | quote }}
automountServiceAccountToken: false
# A Service named `temporal` would set TEMPORAL_PORT and the like, among Temporal's own settings.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ add (int .gracefulShutdownSeconds) 10 5 }}
{{- with .image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "spine.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{- define "spine.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What a container's folders come from. Takes the root. */}}
{{- define "spine.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 512Mi
{{- with .Values.keysSecret }}
- name: keys
  secret:
    secretName: {{ . | quote }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{- define "spine.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.keysSecret }}
# A folder, not a single file: only then a rotated key arrives without a restart.
- {name: keys, mountPath: /etc/spine-temporal/keys, readOnly: true}
{{- end }}
{{- end }}
